#include "runner/wires/http_session.h"

#include <algorithm>

namespace assay::wires {

std::string_view HttpSession::OnClient(std::string_view bytes, Moment now) {
  if (protocol_ != nullptr) return protocol_->OnClient(bytes, now);
  // Three bytes tell: no method of HTTP/1.1 in use begins with PRI. Held back
  // until then, so that what decides sees a whole start.
  start_ += bytes;
  const std::string_view sign = kHttp2Preface.substr(0, 3);
  if (start_.size() < sign.size() && sign.starts_with(start_)) return {};
  protocol_ = start_.starts_with(sign) ? MakeHttp2Session(events_)
                                       : MakeHttp1Session(events_);
  return protocol_->OnClient(start_, now);
}

void HttpSession::OnServer(std::string_view bytes, Moment now) {
  // A server that speaks first has something to say about the connection.
  if (protocol_ != nullptr) protocol_->OnServer(bytes, now);
}

void HttpSession::OnClose(Moment now) {
  if (protocol_ != nullptr) protocol_->OnClose(now);
}

}  // namespace assay::wires
