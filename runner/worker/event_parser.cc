#include "runner/worker/event_parser.h"

#include <google/protobuf/io/coded_stream.h>

#include <cstdint>

namespace assay::worker {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

bool MayComeFromARun(const v1::RunEvent& event) {
  switch (event.event_case()) {
    case v1::RunEvent::kPhaseStarted:
    case v1::RunEvent::kPhaseFinished:
    case v1::RunEvent::kLog:
    case v1::RunEvent::kCheckStarted:
    case v1::RunEvent::kCheckFinished:
    case v1::RunEvent::kSpans:
    case v1::RunEvent::kFinished:
      return true;
    default:
      return false;
  }
}

// Takes one message off the front of `bytes`. False: not all of it is there.
Expected<bool> TakeOne(std::string_view& bytes, v1::RunEvent& event) {
  CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                      static_cast<int>(bytes.size()));
  // Protobuf's reader would take ten and drop what does not fit.
  constexpr std::size_t kLengthBytes = 5;
  std::uint32_t size = 0;
  const bool ended = in.ReadVarint32(&size);
  const auto header = static_cast<std::size_t>(in.CurrentPosition());
  if (!ended && bytes.size() < kLengthBytes) return false;
  if (!ended || header > kLengthBytes)
    return DataLoss("the run's events are garbled: a length has no end");
  if (size > EventParser::kMaxEventBytes)
    return DataLoss("the run sent an event of ", size, " bytes, expected at ",
                    "most ", EventParser::kMaxEventBytes);
  if (bytes.size() - header < size) return false;
  if (!event.ParseFromArray(bytes.data() + header, static_cast<int>(size)))
    return DataLoss("the run's events are garbled: no event could be parsed");
  if (!MayComeFromARun(event))
    return DataLoss("the run sent an event that only the coordinator makes");
  // The store numbers them.
  event.clear_sequence();
  event.clear_epoch();
  bytes.remove_prefix(header + size);
  return true;
}

}  // namespace

Expected<std::vector<v1::RunEvent>> EventParser::Feed(std::string_view bytes) {
  buffer_.append(bytes);
  std::string_view rest = buffer_;
  std::vector<v1::RunEvent> events;
  while (!rest.empty()) {
    v1::RunEvent event;
    ASSAY_ASSIGN_OR_RETURN(const bool whole, TakeOne(rest, event));
    if (!whole) break;
    events.push_back(std::move(event));
  }
  buffer_.erase(0, buffer_.size() - rest.size());
  return events;
}

std::string SerializeDelimited(const v1::RunEvent& event) {
  const std::string body = event.SerializeAsString();
  std::uint8_t header[10];
  const std::uint8_t* end = CodedOutputStream::WriteVarint32ToArray(
      static_cast<std::uint32_t>(body.size()), header);
  return std::string(reinterpret_cast<char*>(header),
                     static_cast<std::size_t>(end - header)) +
         body;
}

}  // namespace assay::worker
