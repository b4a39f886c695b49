#ifndef ASSAY_TESTS_SERVICES_NOTIFY_POST_OFFICE_H_
#define ASSAY_TESTS_SERVICES_NOTIFY_POST_OFFICE_H_

#include <mutex>
#include <string>
#include <vector>

#include "tests/services/notify/local_server.h"

namespace assay::testing {

struct Mail {
  std::string from;
  std::string to;
  std::string text;
};

// An SMTP server (RFC 5321) that keeps what it takes.
class PostOffice {
 public:
  PostOffice() : server_([this](int connection) { Serve(connection); }) {}

  std::string url() const { return server_.Url("smtp"); }
  std::vector<Mail> mails() {
    const std::lock_guard lock(mutex_);
    return mails_;
  }
  // Answers the next `count` recipients with "try again later".
  void RefuseNext(int count) { refusals_ = count; }

 private:
  void Serve(int connection) {
    Talk talk(connection);
    Mail mail;
    talk.Say("220 test\r\n");
    while (!talk.ended()) {
      const std::string line = talk.Line();
      if (line.starts_with("EHLO") || line.starts_with("HELO")) {
        talk.Say("250 test\r\n");
      } else if (line.starts_with("MAIL FROM:")) {
        mail.from = line.substr(10);
        talk.Say("250 ok\r\n");
      } else if (line.starts_with("RCPT TO:")) {
        mail.to = line.substr(8);
        talk.Say(refusals_ > 0 && refusals_-- > 0 ? "451 later\r\n"
                                                  : "250 ok\r\n");
      } else if (line == "DATA") {
        talk.Say("354 go on\r\n");
        for (std::string text = talk.Line(); text != "." && !talk.ended();
             text = talk.Line())
          mail.text += text + "\n";
        // Kept before it is acknowledged, as a real one does.
        Keep(mail);
        talk.Say("250 kept\r\n");
      } else if (line == "QUIT") {
        talk.Say("221 bye\r\n");
        return;
      } else {
        talk.Say("500 what?\r\n");
      }
    }
  }
  void Keep(const Mail& mail) {
    const std::lock_guard lock(mutex_);
    mails_.push_back(mail);
  }

  std::mutex mutex_;
  std::vector<Mail> mails_;
  std::atomic<int> refusals_{0};
  // Last: its thread uses the others.
  LocalServer server_;
};

struct HookCall {
  std::string signature;
  std::string body;
};

// An HTTP server that keeps what it is told.
class HookReceiver {
 public:
  HookReceiver() : server_([this](int connection) { Serve(connection); }) {}

  std::string url() const { return server_.Url("http") + "/hook"; }
  std::vector<HookCall> calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  void AnswerWith(int status) { status_ = status; }

 private:
  void Serve(int connection) {
    Talk talk(connection);
    HookCall call;
    std::size_t length = 0;
    talk.Line();
    for (std::string line = talk.Line(); !line.empty(); line = talk.Line()) {
      if (line.starts_with("Assay-Signature: "))
        call.signature = line.substr(17);
      if (line.starts_with("Content-Length: "))
        length = std::stoul(line.substr(16));
    }
    call.body = talk.Bytes(length);
    {
      const std::lock_guard lock(mutex_);
      calls_.push_back(call);
    }
    talk.Say("HTTP/1.1 " + std::to_string(status_) +
             " X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  }

  std::mutex mutex_;
  std::vector<HookCall> calls_;
  std::atomic<int> status_{204};
  LocalServer server_;
};

}  // namespace assay::testing

#endif  // ASSAY_TESTS_SERVICES_NOTIFY_POST_OFFICE_H_
