#ifndef ASSAY_SERVICES_STORAGE_BLOBS_S3_FAILURE_H_
#define ASSAY_SERVICES_STORAGE_BLOBS_S3_FAILURE_H_

#include <string>

#include "services/storage/blobs/s3_request.h"

namespace assay::storage {

// What an answer that is no success says, in one line with what to do.
struct S3Failure {
  Error error;
  // Another attempt may go better.
  bool passing = false;
  // The credentials, the bucket, the region or the clock are wrong: it stays
  // like this until somebody changes something.
  bool setup = false;
};

S3Failure Explain(const S3Settings& settings, const S3Response& response);
S3Failure Explain(const S3Settings& settings, const S3Silence& silence);

// "NoSuchKey" of the <Error> in `body`; empty where there is none.
std::string S3ErrorCode(const std::string& body);

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_BLOBS_S3_FAILURE_H_
