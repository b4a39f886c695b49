#ifndef ASSAY_PROTO_BASE_ERROR_H_
#define ASSAY_PROTO_BASE_ERROR_H_

#include <expected>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace assay {

// The canonical RPC codes, with their standard numbers, so that an Error
// crosses gRPC and Connect unchanged.
enum class Code {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// "NOT_FOUND", as the field writes it.
std::string_view CodeName(Code code);
// "not_found", as the Connect protocol writes it.
std::string_view ConnectCodeName(Code code);

// An expected failure of ours. How a candidate's program ended is never an
// Error: that is data (Termination, Verdict).
struct Error {
  Code code = Code::kUnknown;
  // Says what was found, what was expected and what to do. No trailing period.
  std::string message;

  // The same failure seen from one level up: "while doing X: message".
  Error Within(std::string_view context) const;

  bool operator==(const Error&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Error& error);

template <class T>
using Expected = std::expected<T, Error>;

// A success or an Error, where there is no value to return.
using Status = Expected<void>;

template <class... Parts>
std::unexpected<Error> Fail(Code code, const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return std::unexpected(Error{code, std::move(text).str()});
}

template <class... P>
std::unexpected<Error> InvalidArgument(const P&... p) {
  return Fail(Code::kInvalidArgument, p...);
}
template <class... P>
std::unexpected<Error> NotFound(const P&... p) {
  return Fail(Code::kNotFound, p...);
}
template <class... P>
std::unexpected<Error> AlreadyExists(const P&... p) {
  return Fail(Code::kAlreadyExists, p...);
}
template <class... P>
std::unexpected<Error> PermissionDenied(const P&... p) {
  return Fail(Code::kPermissionDenied, p...);
}
template <class... P>
std::unexpected<Error> Unauthenticated(const P&... p) {
  return Fail(Code::kUnauthenticated, p...);
}
template <class... P>
std::unexpected<Error> FailedPrecondition(const P&... p) {
  return Fail(Code::kFailedPrecondition, p...);
}
template <class... P>
std::unexpected<Error> Aborted(const P&... p) {
  return Fail(Code::kAborted, p...);
}
template <class... P>
std::unexpected<Error> ResourceExhausted(const P&... p) {
  return Fail(Code::kResourceExhausted, p...);
}
template <class... P>
std::unexpected<Error> Unavailable(const P&... p) {
  return Fail(Code::kUnavailable, p...);
}
template <class... P>
std::unexpected<Error> Unimplemented(const P&... p) {
  return Fail(Code::kUnimplemented, p...);
}
template <class... P>
std::unexpected<Error> DataLoss(const P&... p) {
  return Fail(Code::kDataLoss, p...);
}
template <class... P>
std::unexpected<Error> Internal(const P&... p) {
  return Fail(Code::kInternal, p...);
}

// An Error for a failed system call: "open /x: No such file or directory".
// `error_number` is errno, taken at once after the call.
std::unexpected<Error> SystemError(std::string_view what, int error_number);

}  // namespace assay

// Returns the Error of `expr` from this function, or goes on.
#define ASSAY_RETURN_IF_ERROR(expr)                            \
  do {                                                         \
    if (auto assay_status = (expr); !assay_status)             \
      return std::unexpected(std::move(assay_status).error()); \
  } while (false)

#define ASSAY_JOIN_INNER(a, b) a##b
#define ASSAY_JOIN(a, b) ASSAY_JOIN_INNER(a, b)

// ASSAY_ASSIGN_OR_RETURN(auto x, F()): x is F's value, or F's Error returns.
#define ASSAY_ASSIGN_OR_RETURN(lhs, expr) \
  ASSAY_ASSIGN_OR_RETURN_AS(ASSAY_JOIN(assay_result_, __LINE__), lhs, expr)
#define ASSAY_ASSIGN_OR_RETURN_AS(result, lhs, expr)              \
  auto result = (expr);                                           \
  if (!result) return std::unexpected(std::move(result).error()); \
  lhs = *std::move(result)

// The same two for coroutines.
#define ASSAY_CO_RETURN_IF_ERROR(expr)                            \
  do {                                                            \
    if (auto assay_status = (expr); !assay_status)                \
      co_return std::unexpected(std::move(assay_status).error()); \
  } while (false)
#define ASSAY_CO_ASSIGN_OR_RETURN(lhs, expr) \
  ASSAY_CO_ASSIGN_OR_RETURN_AS(ASSAY_JOIN(assay_result_, __LINE__), lhs, expr)
#define ASSAY_CO_ASSIGN_OR_RETURN_AS(result, lhs, expr)              \
  auto result = (expr);                                              \
  if (!result) co_return std::unexpected(std::move(result).error()); \
  lhs = *std::move(result)

#endif  // ASSAY_PROTO_BASE_ERROR_H_
