#include "services/git_http/push_report.h"

#include "proto/base/utf8.h"
#include "services/git_http/pkt_line.h"

namespace assay::git_http {
namespace {

// A report names at most a hundred refs, each in a line.
constexpr std::size_t kMaxReport = 256 << 10;
constexpr std::size_t kMaxReason = 300;

// "ng refs/heads/main non-fast-forward" or "ok refs/heads/main".
Status ReadRefLine(std::string_view line, PushReport& report) {
  if (line.starts_with("option ")) return {};  // of report-status-v2
  const bool ok = line.starts_with("ok ");
  if (!ok && !line.starts_with("ng "))
    return InvalidArgument("unexpected line in git's report: ",
                           PresentableLine(line, 80));
  line.remove_prefix(3);
  const std::size_t space = line.find(' ');
  const std::string ref(line.substr(0, space));
  report.refs[ref] = ok ? ""
                        : PresentableLine(space == std::string_view::npos
                                              ? "refused"
                                              : line.substr(space + 1),
                                          kMaxReason);
  return {};
}

}  // namespace

Expected<PushReport> ParseReport(std::string_view bytes) {
  PacketReader reader(bytes);
  PushReport report;
  bool unpacked = false;
  for (;;) {
    ASSAY_ASSIGN_OR_RETURN(const auto packet, reader.Next());
    if (!packet) return InvalidArgument("git's report is not whole");
    if (packet->kind == Packet::Kind::kFlush) break;
    std::string_view line = packet->payload;
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (unpacked) {
      ASSAY_RETURN_IF_ERROR(ReadRefLine(line, report));
      continue;
    }
    if (!line.starts_with("unpack "))
      return InvalidArgument("git's report does not begin with unpack");
    unpacked = true;
    line.remove_prefix(7);
    if (line != "ok") report.unpack_error = PresentableLine(line, kMaxReason);
  }
  if (!unpacked) return InvalidArgument("git's report is empty");
  return report;
}

Expected<std::string> ReportReader::Feed(std::string_view bytes) {
  if (!side_band_) {
    report_.append(bytes);
    if (report_.size() > kMaxReport) return Internal("git's report is endless");
    return std::string();
  }
  pending_.append(bytes);
  PacketReader reader(pending_);
  std::string messages;
  for (;;) {
    ASSAY_ASSIGN_OR_RETURN(const auto packet, reader.Next());
    if (!packet) break;
    if (packet->kind != Packet::Kind::kData || packet->payload.empty())
      continue;
    const auto band = static_cast<Band>(packet->payload.front());
    const std::string_view content = packet->payload.substr(1);
    if (band == Band::kReport)
      report_.append(content);
    else if (!content.empty())
      messages += BandOf(Band::kMessage, content);
  }
  pending_.erase(0, pending_.size() - reader.rest().size());
  if (report_.size() > kMaxReport) return Internal("git's report is endless");
  return messages;
}

std::string RefusalOf(const PushRequest& request, std::string_view message) {
  std::string report = PacketOf("unpack ok\n");
  const std::string reason =
      PresentableLine(message.substr(0, message.find('\n')), kMaxReason);
  for (const RefUpdate& update : request.updates)
    report += PacketOf("ng " + update.ref + " " + reason + "\n");
  report += kFlush;
  if (!request.side_band) return request.report_status ? report : "";
  std::string answer;
  while (!message.empty()) {
    const std::size_t end = message.find('\n');
    answer +=
        BandOf(Band::kMessage,
               PresentableLine(message.substr(0, end), kMaxReason) + "\n");
    message.remove_prefix(end == std::string_view::npos ? message.size()
                                                        : end + 1);
  }
  if (request.report_status) answer += BandOf(Band::kReport, report);
  return answer.append(kFlush);
}

}  // namespace assay::git_http
