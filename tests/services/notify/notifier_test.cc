#include "services/notify/notifier.h"

#include "assay/v1/notification_service.pb.h"
#include "services/notify/notification_service.h"
#include "services/notify/outbox.h"
#include "services/rpc/proto_time.h"
#include "tests/services/installation/installation.h"
#include "tests/services/notify/post_office.h"

namespace assay::notify {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using storage::NotificationRecord;
using storage::Transaction;
using testing::FailsWith;
using testing::Installation;
using testing::IsOk;

class NotifierTest : public testing::ServiceTest {
 protected:
  // One look by a notifier that is set up with `ways`.
  int Sweep(const Ways& ways, int most_tries = 3) {
    Notifier notifier(assay_.loop.executor(), *assay_.parts().store,
                      assay_.clock, {.ways = ways, .most_tries = most_tries});
    return assay_.loop.Await(notifier.Sweep()).value();
  }
  void Put(const std::string& recipient = "ada@example.org",
           const std::string& topic = "clock") {
    ASSERT_THAT(assay_.Write([recipient, topic,
                              now = assay_.clock.Now()](Transaction& tx) {
      return Tell(tx,
                  {.topic = topic,
                   .recipient = recipient,
                   .subject = "More time",
                   .body = "secret link"},
                  now);
    }),
                IsOk());
  }
  std::vector<NotificationRecord> All() {
    return assay_
        .Read([](Transaction& tx) {
          return tx.notifications.List({storage::Page::kMaxSize, ""});
        })
        ->items;
  }
  Ways Mail() { return {.smtp_url = office_.url(), .mail_from = "a@b.c"}; }

  testing::PostOffice office_;
  testing::HookReceiver hook_;
};

TEST_F(NotifierTest, WithoutAWayAMessageIsKeptAndCanBeRead) {
  Put();
  EXPECT_EQ(Sweep({}), 0);
  ASSERT_EQ(All().size(), 1u);
  EXPECT_EQ(All()[0].state, v1::Notification::STATE_KEPT);
  EXPECT_EQ(All()[0].body, "secret link");
  EXPECT_EQ(Sweep(Mail()), 0) << "a way that comes later sends nothing old";
}

TEST_F(NotifierTest, AMessageGoesByMailAndHookOnceEach) {
  Put();
  Ways ways = Mail();
  ways.webhook_url = hook_.url();
  ways.webhook_secret = "0123456789abcdef";
  EXPECT_EQ(Sweep(ways), 2);
  EXPECT_EQ(Sweep(ways), 0);
  EXPECT_EQ(office_.mails().size(), 1u);
  EXPECT_EQ(hook_.calls().size(), 1u);
}

TEST_F(NotifierTest, WhatFailsIsTriedAgainLaterAndThenGivenUp) {
  Put();
  office_.RefuseNext(2);
  EXPECT_EQ(Sweep(Mail()), 0);
  EXPECT_EQ(All()[0].state, v1::Notification::STATE_WAITING);
  EXPECT_NE(All()[0].problem, "");
  EXPECT_EQ(Sweep(Mail()), 0);
  EXPECT_EQ(All()[0].tries, 1) << "not before its time";
  assay_.clock.Advance(minutes(1));
  EXPECT_EQ(Sweep(Mail()), 0);
  assay_.clock.Advance(minutes(2));
  EXPECT_EQ(Sweep(Mail()), 1);
  EXPECT_EQ(All()[0].state, v1::Notification::STATE_SENT);

  Put();
  office_.RefuseNext(9);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Sweep(Mail()), 0);
    assay_.clock.Advance(hours(1));
  }
  EXPECT_EQ(All()[0].state, v1::Notification::STATE_FAILED);
}

TEST_F(NotifierTest, ALinksSecretIsForgottenOnceItWasSent) {
  Put("ada@example.org", "invitation");
  ASSERT_EQ(Sweep(Mail()), 1);
  EXPECT_EQ(All()[0].body.find("secret"), std::string::npos);
}

TEST_F(NotifierTest, WhatIsForStaffGoesToTheirAddress) {
  Put("", "question");
  Ways ways = Mail();
  EXPECT_EQ(Sweep(ways), 0) << "nobody is named";
  Put("", "question");
  ways.staff_mail = "staff@example.org";
  EXPECT_EQ(Sweep(ways), 1);
  EXPECT_NE(office_.mails()[0].to.find("staff@example.org"), std::string::npos);
}

class ReminderTest : public NotifierTest {
 protected:
  ReminderTest() {
    v1::AssignmentSpec spec = Installation::SomeSpec();
    *spec.add_reminders() =
        rpc::ToProto(std::chrono::microseconds(minutes(30)));
    *spec.add_reminders() = rpc::ToProto(std::chrono::microseconds(minutes(5)));
    assay_.MakeAssignment(spec);
    candidate_ = assay_.Begin();
  }
  int Reminders() {
    Sweep({});
    int count = 0;
    for (const NotificationRecord& record : All())
      count += record.topic == "reminder" ? 1 : 0;
    return count;
  }
  rpc::Caller candidate_;
};

TEST_F(ReminderTest, ComesOnceAtEachTimeThatTheAuthorSet) {
  assay_.clock.Advance(minutes(29));
  EXPECT_EQ(Reminders(), 0);
  assay_.clock.Advance(minutes(1));
  EXPECT_EQ(Reminders(), 1);
  EXPECT_EQ(Reminders(), 1);
  assay_.clock.Advance(minutes(25));
  EXPECT_EQ(Reminders(), 2);
  assay_.clock.Advance(minutes(5));
  EXPECT_EQ(Reminders(), 2) << "the deadline has passed";
}

TEST_F(ReminderTest, AfterADowntimeOnlyTheLastOneComes) {
  assay_.clock.Advance(minutes(56));
  EXPECT_EQ(Reminders(), 1);
}

TEST_F(ReminderTest, ADeadlineThatMovesRemindsAnew) {
  assay_.clock.Advance(minutes(35));
  EXPECT_EQ(Reminders(), 1);
  v1::ExtendAttemptRequest extend;
  extend.set_name("attempts/" + candidate_.attempt.str());
  extend.mutable_extension()->set_seconds(3600);
  extend.set_reason("power cut");
  ASSERT_THAT(assay_.Call<v1::ExtendAttemptResponse>(
                  Installation::As(v1::ROLE_AUTHOR),
                  "AttemptService/ExtendAttempt", extend),
              IsOk());
  EXPECT_EQ(Reminders(), 1);
  assay_.clock.Advance(minutes(60));
  EXPECT_EQ(Reminders(), 2);
}

}  // namespace
}  // namespace assay::notify
