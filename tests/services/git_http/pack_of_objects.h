#ifndef ASSAY_TESTS_SERVICES_GIT_HTTP_PACK_OF_OBJECTS_H_
#define ASSAY_TESTS_SERVICES_GIT_HTTP_PACK_OF_OBJECTS_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace assay::testing {

// A git pack, written by hand: what no git would write can be in it.
class PackOfObjects {
 public:
  enum class Type { kCommit = 1, kTree = 2, kBlob = 3 };

  // Answers with the object's name, 40 hex digits.
  std::string Add(Type type, std::string_view content);
  // `delta` makes it of the object `base`.
  void AddDelta(const std::string& base, std::string_view delta);
  // With header and digest.
  std::string bytes() const;

  // What copies the first `size` bytes (less than 16 MiB) of a base of
  // `base_size` bytes so many times, and ends with `rest` (up to 127 bytes).
  static std::string CopyDelta(std::uint64_t base_size, std::uint64_t size,
                               int times, std::string_view rest);
  static std::string NameOf(Type type, std::string_view content);

 private:
  void Append(int type, std::string_view base, std::string_view content);

  std::string objects_;
  std::uint32_t count_ = 0;
};

}  // namespace assay::testing

#endif  // ASSAY_TESTS_SERVICES_GIT_HTTP_PACK_OF_OBJECTS_H_
