#ifndef ASSAY_SERVICES_STORAGE_ONCE_H_
#define ASSAY_SERVICES_STORAGE_ONCE_H_

#include <google/protobuf/message.h>

#include <optional>
#include <string>

#include "proto/base/clock.h"
#include "proto/base/digest.h"
#include "proto/base/error.h"
#include "services/storage/transaction.h"

namespace assay::storage {

// Answers a repeated request with the first answer: `make` runs once for each
// request id of a caller, in the same transaction as the record of its answer.
// Without a request id it runs each time.
//
// kInvalidArgument: the id was used for a different request.
template <class Response, class Make>
Expected<Response> Once(Transaction& tx, const RequestKey& key,
                        const google::protobuf::Message& request,
                        Clock::TimePoint now, Make make) {
  if (key.id.empty()) return make();
  const std::string digest = Sha256Hex(request.SerializeAsString());
  ASSAY_ASSIGN_OR_RETURN(const std::optional<std::string> earlier,
                         tx.requests.Find(key, digest));
  if (earlier) {
    Response response;
    response.ParseFromString(*earlier);
    return response;
  }
  Expected<Response> made = make();
  if (!made) return made;
  ASSAY_RETURN_IF_ERROR(
      tx.requests.Record(key, digest, made->SerializeAsString(), now));
  return made;
}

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_ONCE_H_
