#include "tests/services/git_http/pack_of_objects.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <array>

#include "proto/base/digest.h"

namespace assay::testing {
namespace {

constexpr int kDeltaOfName = 7;

std::string Sha1(std::string_view bytes) {
  std::array<unsigned char, 20> digest{};
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha1(),
             nullptr);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string Deflated(std::string_view bytes) {
  uLongf size = ::compressBound(bytes.size());
  std::string out(size, '\0');
  ::compress(reinterpret_cast<Bytef*>(out.data()), &size,
             reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  out.resize(size);
  return out;
}

void AppendNumber(std::string& out, std::uint64_t value) {
  for (; value > 0x7F; value >>= 7)
    out += static_cast<char>(0x80 | (value & 0x7F));
  out += static_cast<char>(value);
}

void AppendBigEndian(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(value >> shift);
}

}  // namespace

std::string PackOfObjects::NameOf(Type type, std::string_view content) {
  const char* words[] = {"", "commit", "tree", "blob"};
  std::string object = words[static_cast<int>(type)];
  object += ' ' + std::to_string(content.size()) + '\0';
  return ToHex(Sha1(object.append(content)));
}

std::string PackOfObjects::Add(Type type, std::string_view content) {
  Append(static_cast<int>(type), "", content);
  return NameOf(type, content);
}

void PackOfObjects::AddDelta(const std::string& base, std::string_view delta) {
  Append(kDeltaOfName, FromHex(base), delta);
}

void PackOfObjects::Append(int type, std::string_view base,
                           std::string_view content) {
  std::uint64_t size = content.size();
  int first = type << 4 | static_cast<int>(size & 15);
  size >>= 4;
  if (size > 0) first |= 0x80;
  objects_ += static_cast<char>(first);
  if (size > 0) AppendNumber(objects_, size);
  objects_.append(base).append(Deflated(content));
  ++count_;
}

std::string PackOfObjects::bytes() const {
  std::string pack = "PACK";
  AppendBigEndian(pack, 2);
  AppendBigEndian(pack, count_);
  pack += objects_;
  return pack + Sha1(pack);
}

std::string PackOfObjects::CopyDelta(std::uint64_t base_size,
                                     std::uint64_t size, int times,
                                     std::string_view rest) {
  std::string delta;
  AppendNumber(delta, base_size);
  AppendNumber(delta, size * static_cast<std::uint64_t>(times) + rest.size());
  for (int i = 0; i < times; ++i) {
    // From the beginning; three bytes of size.
    delta += static_cast<char>(0xF0);
    for (int shift = 0; shift < 24; shift += 8)
      delta += static_cast<char>(size >> shift);
  }
  if (!rest.empty()) {
    delta += static_cast<char>(rest.size());
    delta += rest;
  }
  return delta;
}

}  // namespace assay::testing
