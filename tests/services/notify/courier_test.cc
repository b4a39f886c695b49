#include "services/notify/courier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/services/notify/post_office.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/matchers.h"

namespace assay::notify {
namespace {

using storage::NotificationRecord;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

NotificationRecord Some(v1::Notification::Channel channel) {
  return {.id = NotificationId("ntf_1"),
          .topic = "reminder",
          .channel = channel,
          .recipient = "ada@example.org",
          .subject = "30 min left",
          .body = "Push what you have.\n",
          .attempt = AttemptId("att_1"),
          .create_time = testing::ManualClock().Now()};
}

TEST(MailTextTest, NothingInANameOrASubjectBecomesAHeader) {
  NotificationRecord record = Some(v1::Notification::CHANNEL_MAIL);
  record.subject = "Hi\r\nBcc: everybody@example.org";
  record.recipient = "ada@example.org>\r\nBcc: <eve@example.org";
  record.body = "a\r\n.\r\nMAIL FROM:<x>\r\n";
  const std::string text = MailText({.mail_from = "assay@example.org"}, record);
  EXPECT_THAT(text, Not(HasSubstr("\nBcc:")));
  EXPECT_THAT(text, Not(HasSubstr("\n.")));
  EXPECT_THAT(text, HasSubstr("Subject: =?UTF-8?B?"));
  EXPECT_THAT(text, HasSubstr("Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"));
}

TEST(MailTextTest, LongSubjectsAreCutBetweenCharacters) {
  NotificationRecord record = Some(v1::Notification::CHANNEL_MAIL);
  record.subject.clear();
  for (int i = 0; i < 100; ++i) record.subject += "\xc3\xa4";
  const std::string text = MailText({.mail_from = "a@b.c"}, record);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find("\r\n", at);
    EXPECT_LE(end - at, 78u) << text.substr(at, end - at);
    at = end + 2;
  }
}

// The example that receivers can check their own code with: openssl dgst
// -sha256 -hmac key, over "1.{}".
TEST(HookSignatureTest, IsTheHmacOfTimeAndBody) {
  EXPECT_EQ(HookSignature("key", 1, "{}"),
            "t=1,v1="
            "1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224");
}

TEST(HookBodyTest, AQuestionDoesNotSayWhoAsks) {
  NotificationRecord record = Some(v1::Notification::CHANNEL_WEBHOOK);
  EXPECT_THAT(HookBody(record), HasSubstr("att_1"));
  record.topic = "question";
  EXPECT_THAT(HookBody(record), Not(HasSubstr("att_1")));
}

TEST(DeliverTest, MailReachesAServer) {
  testing::PostOffice office;
  const Ways ways{.smtp_url = office.url(), .mail_from = "assay@example.org"};
  ASSERT_THAT(Deliver(ways, Some(v1::Notification::CHANNEL_MAIL),
                      testing::ManualClock().Now()),
              IsOk());
  ASSERT_EQ(office.mails().size(), 1u);
  EXPECT_THAT(office.mails()[0].to, HasSubstr("<ada@example.org>"));
  EXPECT_THAT(office.mails()[0].from, HasSubstr("<assay@example.org>"));
  // "Push what you have.\n"
  EXPECT_THAT(office.mails()[0].text,
              HasSubstr("UHVzaCB3aGF0IHlvdSBoYXZlLgo="));
}

TEST(DeliverTest, CallsAreSignedAndJudgedByTheirAnswer) {
  testing::HookReceiver hook;
  const Ways ways{.webhook_url = hook.url(),
                  .webhook_secret = "0123456789abcdef"};
  const auto record = Some(v1::Notification::CHANNEL_WEBHOOK);
  const Clock::TimePoint now = testing::ManualClock().Now();
  ASSERT_THAT(Deliver(ways, record, now), IsOk());
  ASSERT_EQ(hook.calls().size(), 1u);
  EXPECT_EQ(
      hook.calls()[0].signature,
      HookSignature("0123456789abcdef", 1'767'225'600, hook.calls()[0].body));
  hook.AnswerWith(500);
  EXPECT_THAT(Deliver(ways, record, now),
              FailsWith(Code::kUnavailable, "HTTP 500"));
}

TEST(DeliverTest, AServerThatIsNotThereIsAProblemNotAnException) {
  std::string url;
  {
    testing::HookReceiver gone;
    url = gone.url();
  }
  const Ways ways{.webhook_url = url, .webhook_secret = "0123456789abcdef"};
  EXPECT_THAT(Deliver(ways, Some(v1::Notification::CHANNEL_WEBHOOK),
                      testing::ManualClock().Now()),
              FailsWith(Code::kUnavailable, "web hook"));
}

}  // namespace
}  // namespace assay::notify
