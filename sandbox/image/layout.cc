#include "sandbox/image/layout.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "sandbox/cell/unique_fd.h"
#include "sandbox/image/descriptor_json.h"

namespace assay::sandbox {
namespace {

using nlohmann::json;

constexpr std::string_view kSha256 = "sha256:";
constexpr const char* kRefName = "org.opencontainers.image.ref.name";

bool IsDigest(std::string_view text) {
  constexpr std::size_t kHexDigits = 64;
  if (!text.starts_with(kSha256)) return false;
  text.remove_prefix(kSha256.size());
  return text.size() == kHexDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string TagOf(const json& manifest) {
  const auto notes = manifest.find("annotations");
  if (notes == manifest.end() || !notes->is_object()) return {};
  return TextAt(*notes, kRefName);
}

std::string Listed(const json& manifests) {
  std::string list;
  for (const auto& manifest : manifests) {
    const std::string tag = manifest.is_object() ? TagOf(manifest) : "";
    if (tag.empty()) continue;
    list += (list.empty() ? "" : ", ") + tag;
  }
  return list.empty() ? "none" : list;
}

// A directory that is no layout is the likeliest mistake: say what is missing.
Expected<json> ReadPart(const std::string& layout, const char* name) {
  auto text = ReadBounded(layout + "/" + name, kMostJsonBytes);
  if (!text && text.error().code == Code::kNotFound) {
    return NotFound("'", layout, "' is not an OCI image layout: it has no ",
                    name, " (expected oci-layout, index.json and blobs/)");
  }
  if (!text) return std::unexpected(text.error());
  return ParseJsonObject(layout + "/" + name, *text);
}

}  // namespace

ImageName ParseImageName(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos ||
      text.find('/', colon) != std::string_view::npos) {
    return {.layout = std::string(text)};
  }
  return {.layout = std::string(text.substr(0, colon)),
          .tag = std::string(text.substr(colon + 1))};
}

Expected<Descriptor> FindImage(const std::string& layout,
                               std::string_view tag) {
  ASSAY_ASSIGN_OR_RETURN(const json version, ReadPart(layout, "oci-layout"));
  if (!TextAt(version, "imageLayoutVersion").starts_with("1.")) {
    return InvalidArgument("'", layout, "/oci-layout' says version '",
                           TextAt(version, "imageLayoutVersion"),
                           "', expected 1.x");
  }
  ASSAY_ASSIGN_OR_RETURN(const json index, ReadPart(layout, "index.json"));
  const auto manifests = index.find("manifests");
  if (manifests == index.end() || !manifests->is_array() ||
      manifests->empty()) {
    return InvalidArgument("'", layout, "/index.json' lists no image");
  }
  std::vector<const json*> found;
  for (const auto& manifest : *manifests) {
    if (manifest.is_object() && (tag.empty() || TagOf(manifest) == tag)) {
      found.push_back(&manifest);
    }
  }
  if (found.empty()) {
    return NotFound("'", layout, "' has no image tagged '", tag,
                    "'; it has: ", Listed(*manifests));
  }
  if (found.size() > 1) {
    return InvalidArgument(
        "'", layout, "' has ", found.size(), " images",
        tag.empty() ? "" : " of that tag",
        "; name one as LAYOUT:TAG, of: ", Listed(*manifests));
  }
  return ReadDescriptor(layout + "/index.json", *found[0]);
}

Expected<std::string> ReadBounded(const std::string& path, std::int64_t most) {
  const UniqueFd fd(
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd && errno == ENOENT) return NotFound("'", path, "' is not there");
  struct stat info;
  if (!fd || ::fstat(fd.get(), &info) != 0) {
    return SystemError("open '" + path + "'", errno);
  }
  if (!S_ISREG(info.st_mode) || info.st_size > most) {
    return Fail(Code::kResourceExhausted, "'", path, "' is no file of at most ",
                most, " bytes");
  }
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t n =
        ::read(fd.get(), text.data() + filled, text.size() - filled);
    if (n < 0) return SystemError("read '" + path + "'", errno);
    if (n == 0) break;
    filled += static_cast<std::size_t>(n);
  }
  text.resize(filled);
  return text;
}

Expected<json> ParseJsonObject(std::string_view name, const std::string& text) {
  // Deeper than any real document, and far from the end of the stack.
  constexpr int kDepth = 64;
  bool too_deep = false;
  const auto depth = [&](int level, json::parse_event_t, json&) {
    too_deep = too_deep || level > kDepth;
    return !too_deep;
  };
  json value = json::parse(text, depth, false);
  if (!too_deep && value.is_object()) return value;
  return InvalidArgument("'", name, "' is no JSON object");
}

std::string TextAt(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return {};
  return found->get<std::string>();
}

Expected<Descriptor> ReadDescriptor(std::string_view name, const json& value) {
  if (!value.is_object()) {
    return InvalidArgument("'", name, "' has a descriptor that is no object");
  }
  Descriptor descriptor = {.media_type = TextAt(value, "mediaType"),
                           .digest = TextAt(value, "digest")};
  const auto size = value.find("size");
  if (!IsDigest(descriptor.digest)) {
    return InvalidArgument("'", name, "' has the digest '", descriptor.digest,
                           "', expected sha256: and 64 hex digits");
  }
  if (size == value.end() || !size->is_number_unsigned() ||
      size->get<std::uint64_t>() > INT64_MAX) {
    return InvalidArgument("'", name, "' gives no size for ",
                           descriptor.digest);
  }
  descriptor.bytes = size->get<std::int64_t>();
  return descriptor;
}

}  // namespace assay::sandbox
