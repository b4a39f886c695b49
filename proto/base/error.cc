#include "proto/base/error.h"

#include <array>
#include <cctype>
#include <cstring>
#include <ostream>

namespace assay {
namespace {

struct Names {
  std::string_view upper;
  std::string_view connect;
};

// Connect spells CANCELLED with one l (connectrpc.com/docs/protocol).
constexpr std::array<Names, 17> kNames = {{
    {"OK", "ok"},
    {"CANCELLED", "canceled"},
    {"UNKNOWN", "unknown"},
    {"INVALID_ARGUMENT", "invalid_argument"},
    {"DEADLINE_EXCEEDED", "deadline_exceeded"},
    {"NOT_FOUND", "not_found"},
    {"ALREADY_EXISTS", "already_exists"},
    {"PERMISSION_DENIED", "permission_denied"},
    {"RESOURCE_EXHAUSTED", "resource_exhausted"},
    {"FAILED_PRECONDITION", "failed_precondition"},
    {"ABORTED", "aborted"},
    {"OUT_OF_RANGE", "out_of_range"},
    {"UNIMPLEMENTED", "unimplemented"},
    {"INTERNAL", "internal"},
    {"UNAVAILABLE", "unavailable"},
    {"DATA_LOSS", "data_loss"},
    {"UNAUTHENTICATED", "unauthenticated"},
}};

const Names& NamesOf(Code code) {
  const auto index = static_cast<std::size_t>(code);
  return kNames[index < kNames.size() ? index : 2];
}

}  // namespace

std::string_view CodeName(Code code) { return NamesOf(code).upper; }
std::string_view ConnectCodeName(Code code) { return NamesOf(code).connect; }

Error Error::Within(std::string_view context) const {
  return Error{code, std::string(context) + ": " + message};
}

std::ostream& operator<<(std::ostream& out, const Error& error) {
  return out << CodeName(error.code) << ": " << error.message;
}

std::unexpected<Error> SystemError(std::string_view what, int error_number) {
  Code code = Code::kInternal;
  switch (error_number) {
    case ENOENT:
      code = Code::kNotFound;
      break;
    case EEXIST:
      code = Code::kAlreadyExists;
      break;
    case EACCES:
    case EPERM:
      code = Code::kPermissionDenied;
      break;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      code = Code::kResourceExhausted;
      break;
    default:
      break;
  }
  return Fail(code, what, ": ", std::strerror(error_number));
}

}  // namespace assay
