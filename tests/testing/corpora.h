#ifndef ASSAY_TESTS_TESTING_CORPORA_H_
#define ASSAY_TESTS_TESTING_CORPORA_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace assay::testing {

// Where conformance data that nobody on this project wrote lies:
// ASSAY_CORPORA, or ../shared/corpora seen from the project's root.
inline std::filesystem::path CorporaRoot() {
  const char* given = std::getenv("ASSAY_CORPORA");
  if (given != nullptr && *given != '\0') return given;
  const char* source = std::getenv("ASSAY_SOURCE_DIR");
  return std::filesystem::path(source == nullptr ? "." : source) / ".." /
         "shared" / "corpora";
}

inline bool MustHaveCorpora() {
  const char* ci = std::getenv("CI");
  return ci != nullptr && std::string(ci) == "true";
}

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The source tree, for golden files.
inline std::filesystem::path SourceRoot() {
  const char* source = std::getenv("ASSAY_SOURCE_DIR");
  return source == nullptr ? "." : source;
}

}  // namespace assay::testing

// Ends the test where the corpus is absent: skipped, or failed in CI.
#define ASSAY_NEED_CORPUS(path)                                           \
  do {                                                                    \
    if (!std::filesystem::exists(path)) {                                 \
      if (assay::testing::MustHaveCorpora()) {                            \
        FAIL() << "no corpus at " << (path) << "; set ASSAY_CORPORA";     \
      }                                                                   \
      GTEST_SKIP() << "no corpus at " << (path) << "; set ASSAY_CORPORA"; \
    }                                                                     \
  } while (false)

#endif  // ASSAY_TESTS_TESTING_CORPORA_H_
