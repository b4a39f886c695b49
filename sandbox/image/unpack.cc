#include "sandbox/image/unpack.h"

#include <utility>

#include "sandbox/image/blob.h"
#include "sandbox/image/descriptor_json.h"
#include "sandbox/image/layer.h"

namespace assay::sandbox {
namespace {

using nlohmann::json;

// More than any tool makes.
constexpr std::size_t kMostLayers = 512;

#if defined(__x86_64__)
constexpr std::string_view kArchitecture = "amd64";
#elif defined(__aarch64__)
constexpr std::string_view kArchitecture = "arm64";
#else
#error "name this processor as OCI images do"
#endif

bool IsIndex(const Descriptor& descriptor) {
  return descriptor.media_type == "application/vnd.oci.image.index.v1+json" ||
         descriptor.media_type ==
             "application/vnd.docker.distribution.manifest.list.v2+json";
}

Expected<Descriptor> PickPlatform(const std::string& digest,
                                  const json& index) {
  const auto manifests = index.find("manifests");
  if (manifests != index.end() && manifests->is_array()) {
    for (const auto& manifest : *manifests) {
      if (!manifest.is_object()) continue;
      const auto platform = manifest.find("platform");
      if (platform == manifest.end() || !platform->is_object()) continue;
      if (TextAt(*platform, "os") == "linux" &&
          TextAt(*platform, "architecture") == kArchitecture) {
        return ReadDescriptor(digest, manifest);
      }
    }
  }
  return NotFound("the image has nothing for linux/", kArchitecture);
}

Expected<json> ReadManifest(const std::string& layout, Descriptor image) {
  ASSAY_ASSIGN_OR_RETURN(std::string text, ReadBlob(layout, image));
  ASSAY_ASSIGN_OR_RETURN(json manifest, ParseJsonObject(image.digest, text));
  if (!IsIndex(image)) return manifest;
  ASSAY_ASSIGN_OR_RETURN(image, PickPlatform(image.digest, manifest));
  ASSAY_ASSIGN_OR_RETURN(text, ReadBlob(layout, image));
  return ParseJsonObject(image.digest, text);
}

Expected<Compression> CompressionOf(const Descriptor& layer) {
  const std::string& type = layer.media_type;
  if (type.find("nondistributable") != std::string::npos ||
      type.find("foreign") != std::string::npos) {
    return InvalidArgument("the layer ", layer.digest,
                           " is not part of the layout (", type, ")");
  }
  if (type == "application/vnd.oci.image.layer.v1.tar") {
    return Compression::kNone;
  }
  if (type == "application/vnd.oci.image.layer.v1.tar+gzip" ||
      type == "application/vnd.docker.image.rootfs.diff.tar.gzip") {
    return Compression::kGzip;
  }
  if (type == "application/vnd.oci.image.layer.v1.tar+zstd") {
    return Compression::kZstd;
  }
  return InvalidArgument("the layer ", layer.digest, " is of the type '", type,
                         "', expected a tar archive, plain or with gzip or "
                         "zstd");
}

Status ApplyBlob(const std::string& layout, const Descriptor& layer,
                 Tree& tree) {
  ASSAY_ASSIGN_OR_RETURN(const Compression compression, CompressionOf(layer));
  ASSAY_ASSIGN_OR_RETURN(BlobReader reader, BlobReader::Open(layout, layer));
  auto applied =
      ApplyLayer([&reader] { return reader.Read(); }, compression, tree);
  // A damaged blob explains whatever was wrong with what is in it.
  ASSAY_RETURN_IF_ERROR(reader.Verify());
  if (!applied) return std::unexpected(applied.error().Within(layer.digest));
  return {};
}

// Absent or odd settings are nobody's loss: the image's files are what counts.
std::vector<std::string> EnvironmentOf(const json& configuration) {
  std::vector<std::string> lines;
  const auto config = configuration.find("config");
  if (config == configuration.end() || !config->is_object()) return lines;
  const auto environment = config->find("Env");
  if (environment == config->end() || !environment->is_array()) return lines;
  for (const auto& line : *environment) {
    if (line.is_string()) lines.push_back(line.get<std::string>());
  }
  return lines;
}

}  // namespace

Expected<std::vector<std::string>> UnpackImage(const std::string& layout,
                                               const Descriptor& image,
                                               UniqueFd root,
                                               const ImageLimits& limits) {
  ASSAY_ASSIGN_OR_RETURN(const json manifest, ReadManifest(layout, image));
  const auto layers = manifest.find("layers");
  if (layers == manifest.end() || !layers->is_array() || layers->empty() ||
      layers->size() > kMostLayers) {
    return InvalidArgument("the image ", image.digest,
                           " has no layers, or "
                           "more than ",
                           kMostLayers);
  }
  const auto config = manifest.find("config");
  ASSAY_ASSIGN_OR_RETURN(
      const Descriptor config_blob,
      ReadDescriptor(image.digest,
                     config == manifest.end() ? json() : *config));
  ASSAY_ASSIGN_OR_RETURN(const std::string text, ReadBlob(layout, config_blob));
  ASSAY_ASSIGN_OR_RETURN(const json configuration,
                         ParseJsonObject(config_blob.digest, text));
  Tree tree(std::move(root), limits);
  for (const auto& layer : *layers) {
    ASSAY_ASSIGN_OR_RETURN(const Descriptor blob,
                           ReadDescriptor(image.digest, layer));
    ASSAY_RETURN_IF_ERROR(ApplyBlob(layout, blob, tree));
  }
  return EnvironmentOf(configuration);
}

}  // namespace assay::sandbox
