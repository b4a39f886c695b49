#ifndef ASSAY_TESTS_SANDBOX_IMAGE_LAYOUT_BUILDER_H_
#define ASSAY_TESTS_SANDBOX_IMAGE_LAYOUT_BUILDER_H_

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/image/layer.h"

namespace assay::sandbox {

// A tar archive, made byte by byte so that it can be one that no tool makes.
class TarText {
 public:
  TarText& Directory(const std::string& name, std::uint32_t mode = 0755) {
    return Add(name, '5', mode);
  }
  TarText& File(const std::string& name, std::string_view content,
                std::uint32_t mode = 0644) {
    return Add(name, '0', mode, "", content);
  }
  TarText& Symlink(const std::string& name, const std::string& target) {
    return Add(name, '2', 0777, target);
  }
  TarText& HardLink(const std::string& name, const std::string& existing) {
    return Add(name, '1', 0644, existing);
  }
  TarText& Add(const std::string& name, char type, std::uint32_t mode,
               const std::string& link = "", std::string_view content = {});
  // The whole, with its end.
  std::string Bytes() const { return text_ + std::string(1024, '\0'); }

 private:
  std::string text_;
};

// Writes an OCI image layout with one or more images.
class LayoutBuilder {
 public:
  explicit LayoutBuilder(std::filesystem::path directory);

  struct Image {
    std::vector<std::string> layers;  // tar archives
    std::string tag = "latest";
    std::vector<std::string> environment;
    Compression compression = Compression::kNone;
  };
  // Adds it to index.json; the digest of its manifest.
  std::string Add(const Image& image);
  // Wraps a manifest in an index of platforms.
  std::string AddForPlatform(const Image& image,
                             const std::string& architecture);
  // The path of a blob's file.
  std::filesystem::path Blob(const std::string& digest) const;
  const std::filesystem::path& path() const { return directory_; }

 private:
  nlohmann::json Put(std::string_view media_type, const std::string& bytes);
  nlohmann::json PutManifest(const Image& image);
  void List(nlohmann::json descriptor, const std::string& tag);

  std::filesystem::path directory_;
  nlohmann::json index_;
};

}  // namespace assay::sandbox

#endif  // ASSAY_TESTS_SANDBOX_IMAGE_LAYOUT_BUILDER_H_
