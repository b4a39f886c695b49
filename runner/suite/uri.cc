#include "runner/suite/uri.h"

#include "proto/base/digest.h"

namespace assay::suite {
namespace {

// RFC 3986, section 5.2.4.
std::string RemoveDotSegments(std::string_view path) {
  std::string out;
  const bool absolute = path.starts_with("/");
  bool folder = false;
  std::size_t position = absolute ? 1 : 0;
  while (position <= path.size()) {
    const std::size_t end = std::min(path.find('/', position), path.size());
    const std::string_view segment = path.substr(position, end - position);
    const bool last = end == path.size();
    folder = false;
    if (segment == ".") {
      folder = last;
    } else if (segment == "..") {
      const std::size_t slash = out.rfind('/');
      out.resize(slash == std::string::npos ? 0 : slash);
      folder = last;
    } else {
      if (absolute || !out.empty()) out += '/';
      out += segment;
    }
    position = end + 1;
  }
  if (folder) out += '/';
  return out;
}

}  // namespace

Uri Uri::Parse(std::string_view text) {
  Uri uri;
  const std::size_t hash = text.find('#');
  if (hash != std::string_view::npos) {
    uri.fragment = text.substr(hash + 1);
    text = text.substr(0, hash);
  }
  const std::size_t mark = text.find('?');
  if (mark != std::string_view::npos) {
    uri.query = text.substr(mark);
    text = text.substr(0, mark);
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && colon > 0 &&
      text.substr(0, colon).find('/') == std::string_view::npos) {
    uri.scheme = text.substr(0, colon);
    text = text.substr(colon + 1);
  }
  if (text.starts_with("//")) {
    uri.has_authority = true;
    const std::size_t slash = std::min(text.find('/', 2), text.size());
    uri.authority = text.substr(2, slash - 2);
    text = text.substr(slash);
  }
  uri.path = text;
  return uri;
}

Uri Uri::Resolve(const Uri& reference) const {
  Uri result = reference;
  if (!reference.scheme.empty()) {
    if (reference.has_authority) {
      result.path = RemoveDotSegments(reference.path);
    }
    return result;
  }
  result.scheme = scheme;
  if (reference.has_authority) return result;
  result.has_authority = has_authority;
  result.authority = authority;
  if (reference.path.empty()) {
    result.path = path;
    if (reference.query.empty()) result.query = query;
    return result;
  }
  if (!reference.path.starts_with("/")) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash != std::string::npos
                                   ? path.substr(0, slash + 1)
                               : has_authority ? "/"
                                               : "";
    result.path = folder + reference.path;
  }
  result.path = RemoveDotSegments(result.path);
  return result;
}

std::string Uri::Document() const {
  std::string text;
  if (!scheme.empty()) text += scheme + ":";
  if (has_authority) text += "//" + authority;
  return text + path + query;
}

std::string PercentDecode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const std::string byte = FromHex(text.substr(i + 1, 2));
      if (byte.size() == 1) {
        decoded += byte;
        i += 2;
        continue;
      }
    }
    decoded += text[i];
  }
  return decoded;
}

}  // namespace assay::suite
