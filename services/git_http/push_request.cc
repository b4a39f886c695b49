#include "services/git_http/push_request.h"

#include <algorithm>
#include <utility>

#include "proto/base/utf8.h"
#include "services/git_http/pkt_line.h"

namespace assay::git_http {
namespace {

constexpr std::size_t kMaxUpdates = 100;
constexpr std::size_t kOid = 40;
constexpr std::size_t kShown = 100;

bool IsOid(std::string_view text) {
  return text.size() == kOid &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// "old new ref", without a line's end.
Expected<RefUpdate> ParseUpdate(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  const bool well_formed = line.size() > 2 * kOid + 2 && line[kOid] == ' ' &&
                           line[2 * kOid + 1] == ' ' &&
                           IsOid(line.substr(0, kOid)) &&
                           IsOid(line.substr(kOid + 1, kOid));
  if (!well_formed)
    return InvalidArgument(
        "malformed ref update: expected two commits and a ref's name, found "
        "\"",
        PresentableLine(line, kShown), "\"");
  if (!IsRefName(line.substr(2 * kOid + 2)))
    return InvalidArgument(
        "malformed ref update: expected a ref's name like refs/heads/main, "
        "found \"",
        PresentableLine(line.substr(2 * kOid + 2), kShown), "\"");
  return RefUpdate{.ref = std::string(line.substr(2 * kOid + 2)),
                   .old_commit = std::string(line.substr(0, kOid)),
                   .new_commit = std::string(line.substr(kOid + 1, kOid))};
}

// Follows the first update's NUL: words, some with "=value".
Status ReadCapabilities(std::string_view words, PushRequest& request) {
  if (words.ends_with('\n')) words.remove_suffix(1);
  // Git reads up to it, and would do other things than are expected here.
  if (words.contains('\0'))
    return InvalidArgument("malformed capabilities: found a NUL within them");
  while (!words.empty()) {
    const std::size_t space = words.find(' ');
    const std::string_view word = words.substr(0, space);
    if (word == "side-band-64k") request.side_band = true;
    if (word == "report-status" || word == "report-status-v2")
      request.report_status = true;
    if (word == "push-options")
      return InvalidArgument("push options are not supported");
    if (word.starts_with("object-format=") && word != "object-format=sha1")
      return InvalidArgument("only SHA-1 repositories are supported");
    if (space == std::string_view::npos) break;
    words.remove_prefix(space + 1);
  }
  return {};
}

Status ReadLine(std::string_view line, PushRequest& request) {
  if (line.starts_with("push-cert"))
    return InvalidArgument("signed pushes are not supported");
  // What a shallow clone lacks: git checks that the repository has it.
  if (line.starts_with("shallow ")) {
    std::string_view boundary = line.substr(8);
    if (boundary.ends_with('\n')) boundary.remove_suffix(1);
    if (!IsOid(boundary) || !request.updates.empty())
      return InvalidArgument("malformed shallow boundary");
    return {};
  }
  if (request.updates.size() == kMaxUpdates)
    return ResourceExhausted("a push may update at most ", kMaxUpdates,
                             " refs");
  const std::size_t nul = line.find('\0');
  if (nul != std::string_view::npos) {
    if (!request.updates.empty())
      return InvalidArgument("capabilities belong to the first ref update");
    ASSAY_RETURN_IF_ERROR(ReadCapabilities(line.substr(nul + 1), request));
  }
  ASSAY_ASSIGN_OR_RETURN(RefUpdate update, ParseUpdate(line.substr(0, nul)));
  request.updates.push_back(std::move(update));
  return {};
}

}  // namespace

Expected<PushRequest> ParsePushRequest(std::string_view bytes, bool complete) {
  PacketReader reader(bytes.substr(0, kMaxPushHead));
  PushRequest request;
  for (;;) {
    ASSAY_ASSIGN_OR_RETURN(const auto packet, reader.Next());
    if (!packet && complete && bytes.size() <= kMaxPushHead)
      return InvalidArgument("the push ended within its list of refs");
    if (!packet)
      return ResourceExhausted("the push's list of refs takes more than ",
                               kMaxPushHead, " bytes");
    if (packet->kind == Packet::Kind::kFlush) return request;
    if (packet->kind != Packet::Kind::kData)
      return InvalidArgument("unexpected mark in a push");
    ASSAY_RETURN_IF_ERROR(ReadLine(packet->payload, request));
  }
}

bool IsRefName(std::string_view name) {
  if (name.size() > 255 || !name.starts_with("refs/") || name.ends_with('/') ||
      name.ends_with('.') || name.ends_with(".lock"))
    return false;
  for (const char* bad : {"..", "//", "/.", ".lock/", "@{"})
    if (name.find(bad) != std::string_view::npos) return false;
  return std::ranges::none_of(name, [](unsigned char c) {
    return c <= ' ' || c == 0x7F || std::string_view("~^:?*[\\").contains(c);
  });
}

}  // namespace assay::git_http
