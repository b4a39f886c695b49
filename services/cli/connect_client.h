#ifndef ASSAY_SERVICES_CLI_CONNECT_CLIENT_H_
#define ASSAY_SERVICES_CLI_CONNECT_CLIENT_H_

#include <google/protobuf/message.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::cli {

// "assay.v1.AttemptService/GetAttempt" for a GetAttemptRequest: each request
// message belongs to one method.
std::string MethodOf(const google::protobuf::Message& request);

// Takes the frames of a Connect stream apart as their bytes come.
class ConnectFrames {
 public:
  // Called with each message's JSON; false ends the stream.
  using OnMessage = std::function<bool(std::string_view json)>;
  explicit ConnectFrames(OnMessage on_message);

  // False when nothing more is wanted: the stream is over, or wrong.
  bool Feed(std::string_view bytes);
  // How the stream ended, by its last frame. kUnavailable without one.
  const Status& status() const { return status_; }
  // Whether the reader had enough before the end.
  bool stopped() const { return stopped_; }

 private:
  bool TakeFrame(unsigned char flags, std::string_view content);

  OnMessage on_message_;
  std::string pending_;
  Status status_;
  bool stopped_ = false;
};

// Calls methods over the Connect protocol with JSON, which needs nothing but
// the web port: what a candidate behind a proxy has.
//
// Threads: one. Errors: the server's own; kUnavailable when none answered.
class ConnectClient {
 public:
  // `url` is "https://host:port"; proxies of the environment are used but for
  // loopback.
  // `ca_file` holds the certificates (PEM) that vouch for the server; empty:
  // the system's.
  ConnectClient(std::string url, std::string token, std::string ca_file = "");

  Status Unary(const google::protobuf::Message& request,
               google::protobuf::Message& response,
               std::chrono::milliseconds timeout) const;
  // Reads a server stream into `response` again and again, until it ends or
  // `on_message` answers false.
  Status Stream(const google::protobuf::Message& request,
                google::protobuf::Message& response,
                const std::function<bool()>& on_message) const;

 private:
  Error NoAnswer(int result) const;

  std::string url_;
  std::string token_;
  std::string ca_file_;
};

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_CONNECT_CLIENT_H_
