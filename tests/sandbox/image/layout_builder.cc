#include "tests/sandbox/image/layout_builder.h"

#include <archive.h>
#include <archive_entry.h>

#include <cstdio>
#include <fstream>
#include <utility>

#include "proto/base/digest.h"

namespace assay::sandbox {
namespace {

using nlohmann::json;

constexpr std::size_t kBlock = 512;

std::string Compress(Compression how, const std::string& bytes) {
  if (how == Compression::kNone) return bytes;
  std::string out(bytes.size() + (64 << 10), '\0');
  std::size_t used = 0;
  archive* writer = ::archive_write_new();
  ::archive_write_set_format_raw(writer);
  if (how == Compression::kGzip) ::archive_write_add_filter_gzip(writer);
  if (how == Compression::kZstd) ::archive_write_add_filter_zstd(writer);
  ::archive_write_set_bytes_per_block(writer, 0);
  ::archive_write_open_memory(writer, out.data(), out.size(), &used);
  archive_entry* entry = ::archive_entry_new();
  ::archive_entry_set_pathname(entry, "x");
  ::archive_entry_set_filetype(entry, AE_IFREG);
  ::archive_write_header(writer, entry);
  ::archive_write_data(writer, bytes.data(), bytes.size());
  ::archive_entry_free(entry);
  ::archive_write_close(writer);
  ::archive_write_free(writer);
  out.resize(used);
  return out;
}

std::string LayerType(Compression how) {
  const std::string tar = "application/vnd.oci.image.layer.v1.tar";
  if (how == Compression::kGzip) return tar + "+gzip";
  if (how == Compression::kZstd) return tar + "+zstd";
  return tar;
}

void Write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

TarText& TarText::Add(const std::string& name, char type, std::uint32_t mode,
                      const std::string& link, std::string_view content) {
  std::string header(kBlock, '\0');
  const auto put = [&header](std::size_t at, const std::string& text) {
    header.replace(at, text.size(), text);
  };
  const auto octal = [&put](std::size_t at, int digits, std::uint64_t value) {
    char text[24];
    std::snprintf(text, sizeof(text), "%0*lo", digits, value);
    put(at, text);
  };
  put(0, name);
  octal(100, 7, mode);
  octal(108, 7, 0);
  octal(116, 7, 0);
  octal(124, 11, content.size());
  octal(136, 11, 0);
  put(148, "        ");
  header[156] = type;
  put(157, link);
  put(257, std::string("ustar\00000", 8));
  std::uint64_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  octal(148, 6, sum);
  header[154] = '\0';
  text_ += header;
  text_ += content;
  text_.resize((text_.size() + kBlock - 1) / kBlock * kBlock);
  return *this;
}

LayoutBuilder::LayoutBuilder(std::filesystem::path directory)
    : directory_(std::move(directory)) {
  std::filesystem::create_directories(directory_ / "blobs/sha256");
  Write(directory_ / "oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  index_ = {{"schemaVersion", 2}, {"manifests", json::array()}};
}

std::filesystem::path LayoutBuilder::Blob(const std::string& digest) const {
  return directory_ / "blobs/sha256" / digest.substr(7);
}

json LayoutBuilder::Put(std::string_view media_type, const std::string& bytes) {
  const std::string digest = "sha256:" + Sha256Hex(bytes);
  Write(Blob(digest), bytes);
  return {
      {"mediaType", media_type}, {"digest", digest}, {"size", bytes.size()}};
}

json LayoutBuilder::PutManifest(const Image& image) {
  json manifest = {{"schemaVersion", 2}, {"layers", json::array()}};
  for (const auto& layer : image.layers) {
    manifest["layers"].push_back(
        Put(LayerType(image.compression), Compress(image.compression, layer)));
  }
  const json config = {{"architecture", "amd64"},
                       {"os", "linux"},
                       {"config", {{"Env", image.environment}}}};
  manifest["config"] =
      Put("application/vnd.oci.image.config.v1+json", config.dump());
  return Put("application/vnd.oci.image.manifest.v1+json", manifest.dump());
}

void LayoutBuilder::List(json descriptor, const std::string& tag) {
  descriptor["annotations"]["org.opencontainers.image.ref.name"] = tag;
  index_["manifests"].push_back(std::move(descriptor));
  Write(directory_ / "index.json", index_.dump());
}

std::string LayoutBuilder::Add(const Image& image) {
  const json manifest = PutManifest(image);
  List(manifest, image.tag);
  return manifest["digest"];
}

std::string LayoutBuilder::AddForPlatform(const Image& image,
                                          const std::string& architecture) {
  json manifest = PutManifest(image);
  manifest["platform"] = {{"os", "linux"}, {"architecture", architecture}};
  const json platforms = {{"schemaVersion", 2}, {"manifests", {manifest}}};
  List(Put("application/vnd.oci.image.index.v1+json", platforms.dump()),
       image.tag);
  return manifest["digest"];
}

}  // namespace assay::sandbox
