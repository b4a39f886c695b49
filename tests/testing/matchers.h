#ifndef ASSAY_TESTS_TESTING_MATCHERS_H_
#define ASSAY_TESTS_TESTING_MATCHERS_H_

#include <gmock/gmock.h>

#include <string>

#include "proto/base/error.h"

namespace assay::testing {

// An Expected that holds a value.
MATCHER(IsOk, "holds a value") {
  if (arg.has_value()) return true;
  *result_listener << "which is " << arg.error();
  return false;
}

// An Expected that failed with `code`.
MATCHER_P(FailsWith, code, "fails with " + std::string(CodeName(code))) {
  if (arg.has_value()) {
    *result_listener << "which succeeded";
    return false;
  }
  *result_listener << "which is " << arg.error();
  return arg.error().code == code;
}

// ... and whose message holds `text`.
MATCHER_P2(FailsWith, code, text,
           "fails with " + std::string(CodeName(code)) + " and says \"" +
               std::string(text) + "\"") {
  if (arg.has_value()) {
    *result_listener << "which succeeded";
    return false;
  }
  *result_listener << "which is " << arg.error();
  return arg.error().code == code &&
         arg.error().message.find(text) != std::string::npos;
}

}  // namespace assay::testing

#endif  // ASSAY_TESTS_TESTING_MATCHERS_H_
