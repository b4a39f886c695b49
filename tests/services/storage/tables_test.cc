// Every other noun: what goes in comes out, and what must be refused is.

#include "tests/services/storage/store_conformance.h"

namespace assay::storage {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::IsOk;

class TablesTest : public StoreConformanceTest {
 protected:
  PushRecord Push(const std::string& id, v1::Push::State state,
                  std::chrono::microseconds after = seconds(0)) {
    PushRecord push;
    push.id = PushId(id);
    push.attempt = AttemptId("att_1");
    push.repository = RepositoryId("rep_1");
    push.ref = "refs/heads/main";
    push.old_commit = std::string(40, '0');
    push.new_commit = std::string(39, 'e') + id.back();
    push.receive_time = clock_.Now() + after;
    push.state = state;
    push.subject = "first";
    return push;
  }
  Status Add(const PushRecord& push) {
    return Write([push](Transaction& tx) { return tx.pushes.Create(push); });
  }
  AttemptRecord Attempt() {
    return Read([](Transaction& tx) {
             return tx.attempts.Get(AttemptId("att_1"));
           })
        .value();
  }
};

TEST_P(TablesTest, AnAssignmentsSlugIsTakenOnce) {
  EXPECT_THAT(Write([](Transaction& tx) {
                return tx.assignments.Create(SomeAssignment());
              }),
              FailsWith(Code::kAlreadyExists, "orders"));
}

TEST_P(TablesTest, VersionsFollowEachOtherAndStay) {
  AssignmentRecord next = SomeAssignment();
  next.version = 2;
  next.spec.set_title("Orders, fixed");
  next.update_time = clock_.Now() + seconds(5);
  const auto add = [&](const AssignmentRecord& record) {
    return Write([record](Transaction& tx) {
      return tx.assignments.AddVersion(record);
    });
  };
  ASSERT_THAT(add(next), IsOk());
  EXPECT_THAT(add(next), FailsWith(Code::kAborted, "at version 2"));
  const auto get = [&](int version) {
    return Read([version](Transaction& tx) {
      return tx.assignments.Get(AssignmentId("orders"), version);
    });
  };
  EXPECT_EQ(get(0)->spec.title(), "Orders, fixed");
  EXPECT_EQ(get(0)->create_time, SomeAssignment().create_time);
  EXPECT_EQ(get(0)->update_time, next.update_time);
  EXPECT_EQ(get(1)->spec.title(), "Orders");
  EXPECT_THAT(get(3), FailsWith(Code::kNotFound, "version 3"));
}

TEST_P(TablesTest, AnInvitationIsAcceptedOnce) {
  InvitationRecord invitation;
  invitation.id = InvitationId("inv_1");
  invitation.assignment = AssignmentId("orders");
  invitation.candidate_name = "Ada";
  invitation.secret_hash = "hash";
  invitation.create_time = clock_.Now();
  invitation.expire_time = clock_.Now() + hours(1);
  ASSERT_THAT(
      Write([=](Transaction& tx) { return tx.invitations.Create(invitation); }),
      IsOk());
  const auto accept = [&] {
    return Write([](Transaction& tx) {
      return tx.invitations.MarkAccepted(InvitationId("inv_1"),
                                         AttemptId("att_1"));
    });
  };
  ASSERT_THAT(accept(), IsOk());
  EXPECT_THAT(accept(), FailsWith(Code::kAborted));
  const auto found = Read(
      [](Transaction& tx) { return tx.invitations.GetBySecretHash("hash"); });
  EXPECT_EQ(found->state, v1::Invitation::STATE_ACCEPTED);
  EXPECT_EQ(found->attempt, AttemptId("att_1"));
  EXPECT_EQ(found->candidate_name, "Ada");
}

TEST_P(TablesTest, AClockChangesOneVersionAtATime) {
  ClockRecord clock = Attempt().clock;
  clock.version = 1;
  clock.start_time = clock_.Now();
  clock.duration = minutes(60);
  clock.accommodation = 1.5;
  clock.paused = seconds(1);
  clock.extended = seconds(2);
  clock.grace = seconds(3);
  clock.hard_close_time = clock_.Now() + hours(9);
  clock.deadline = clock_.Now() + hours(2);
  clock.cut_off_time = clock_.Now() + hours(3);
  const ClockEventRecord event{1, clock_.Now(), "start", seconds(7), "a", "b"};
  const auto change = [&] {
    return Write([=](Transaction& tx) {
      return tx.attempts.ChangeClock(AttemptId("att_1"), clock, event);
    });
  };
  ASSERT_THAT(change(), IsOk());
  EXPECT_EQ(Attempt().clock, clock);
  EXPECT_THAT(change(), FailsWith(Code::kAborted));
  const auto events = Read([](Transaction& tx) {
                        return tx.attempts.ListClockEvents(AttemptId("att_1"));
                      }).value();
  ASSERT_EQ(events.size(), 1);
  EXPECT_EQ(events[0].amount, seconds(7));
}

TEST_P(TablesTest, AnExtensionThatCameFirstStopsTheDeadline) {
  ClockRecord clock = Attempt().clock;
  clock.version = 1;
  ASSERT_THAT(Write([=](Transaction& tx) {
                return tx.attempts.ChangeClock(AttemptId("att_1"), clock, {});
              }),
              IsOk());
  const auto freeze = [&](int version) {
    return Write([version](Transaction& tx) {
      return tx.attempts.MarkSubmitted(AttemptId("att_1"), version);
    });
  };
  EXPECT_THAT(freeze(0), FailsWith(Code::kAborted));
  EXPECT_THAT(freeze(1), IsOk());
  EXPECT_THAT(freeze(1), FailsWith(Code::kAborted));
}

TEST_P(TablesTest, FindsTheAttemptsThatAreDueAndTheNextOne) {
  ClockRecord clock = Attempt().clock;
  clock.version = 1;
  clock.cut_off_time = clock_.Now() + minutes(5);
  ASSERT_THAT(Write([=](Transaction& tx) {
                return tx.attempts.ChangeClock(AttemptId("att_1"), clock, {});
              }),
              IsOk());
  const auto due = [&] {
    return Read([now = clock_.Now()](Transaction& tx) {
             return tx.attempts.ListPastCutOff(now, 10);
           })
        ->size();
  };
  const auto next = [&] {
    return *Read([now = clock_.Now()](Transaction& tx) {
      return tx.attempts.NextCutOff(now);
    });
  };
  EXPECT_EQ(due(), 0);
  EXPECT_EQ(next(), clock.cut_off_time);
  clock_.Advance(minutes(5));
  EXPECT_EQ(due(), 1);
  EXPECT_EQ(next(), std::nullopt);
}

TEST_P(TablesTest, ARepositoryBelongsToOneAttempt) {
  EXPECT_EQ(Read([](Transaction& tx) {
              return tx.attempts.GetByRepository(RepositoryId("rep_1"));
            })->id,
            AttemptId("att_1"));
  EXPECT_THAT(Read([](Transaction& tx) {
                return tx.attempts.GetByRepository(RepositoryId("rep_2"));
              }),
              FailsWith(Code::kNotFound));
  AttemptRecord thief = SomeAttempt();
  thief.id = AttemptId("att_2");
  EXPECT_THAT(Write([=](Transaction& tx) { return tx.attempts.Create(thief); }),
              FailsWith(Code::kAlreadyExists));
}

TEST_P(TablesTest, AnIntentEndsOneWayOnly) {
  ASSERT_THAT(Add(Push("psh_1", v1::Push::STATE_RECEIVED)), IsOk());
  ASSERT_THAT(Add(Push("psh_2", v1::Push::STATE_RECEIVED)), IsOk());
  const auto accept = [&](const char* id) {
    return Write([id](Transaction& tx) {
      return tx.pushes.MarkAccepted(PushId(id), RunId("run_9"));
    });
  };
  const auto refuse = [&](const char* id) {
    return Write([id](Transaction& tx) {
      return tx.pushes.MarkRefused(PushId(id), "why");
    });
  };
  EXPECT_EQ(Read([](Transaction& tx) { return tx.pushes.ListOpen(); })->size(),
            2);
  EXPECT_THAT(accept("psh_1"), IsOk());
  EXPECT_THAT(accept("psh_1"), IsOk());
  EXPECT_THAT(refuse("psh_1"), FailsWith(Code::kAborted));
  EXPECT_THAT(refuse("psh_2"), IsOk());
  EXPECT_THAT(accept("psh_2"), FailsWith(Code::kAborted, "why"));
  EXPECT_THAT(*Read([](Transaction& tx) { return tx.pushes.ListOpen(); }),
              IsEmpty());
}

TEST_P(TablesTest, TheLastPushIsTheLastTakenOfThoseInTime) {
  PushRecord late = Push("psh_4", v1::Push::STATE_ACCEPTED, seconds(3));
  late.late = true;
  PushRecord elsewhere = Push("psh_5", v1::Push::STATE_ACCEPTED, seconds(3));
  elsewhere.ref = "refs/heads/other";
  // The clock was set back between the first two.
  for (const PushRecord& push :
       {Push("psh_2", v1::Push::STATE_ACCEPTED, seconds(2)),
        Push("psh_1", v1::Push::STATE_ACCEPTED, seconds(1)),
        Push("psh_3", v1::Push::STATE_REFUSED, seconds(3)), late, elsewhere})
    ASSERT_THAT(Add(push), IsOk());
  const auto last = [&](std::chrono::microseconds until) {
    return *Read([time = clock_.Now() + until](Transaction& tx) {
      return tx.pushes.LastAccepted(AttemptId("att_1"), "refs/heads/main",
                                    time);
    });
  };
  EXPECT_EQ(last(seconds(9))->id, PushId("psh_1"));
  EXPECT_EQ(last(seconds(2))->id, PushId("psh_1"));
  EXPECT_EQ(last(seconds(1))->id, PushId("psh_1"));
  EXPECT_FALSE(last(seconds(0)));
}

TEST_P(TablesTest, AMovedCutOffJudgesPushesAgain) {
  PushRecord late = Push("psh_1", v1::Push::STATE_ACCEPTED, seconds(10));
  late.late = true;
  ASSERT_THAT(Add(late), IsOk());
  const auto judge = [&](std::chrono::microseconds cut_off) {
    return Write([time = clock_.Now() + cut_off](Transaction& tx) {
      return tx.pushes.JudgeAgain(AttemptId("att_1"), time);
    });
  };
  const auto is_late = [&] {
    return Read([](Transaction& tx) { return tx.pushes.Get(PushId("psh_1")); })
        ->late;
  };
  ASSERT_THAT(judge(seconds(10)), IsOk());
  EXPECT_FALSE(is_late());
  ASSERT_THAT(judge(seconds(9)), IsOk());
  EXPECT_TRUE(is_late());
}

TEST_P(TablesTest, OpenIntentsOfAnAttemptAreFoundByReceiveTime) {
  ASSERT_THAT(Add(Push("psh_1", v1::Push::STATE_RECEIVED, seconds(5))), IsOk());
  const auto open = [&](std::chrono::microseconds until) {
    return *Read([time = clock_.Now() + until](Transaction& tx) {
      return tx.pushes.HasOpen(AttemptId("att_1"), time);
    });
  };
  EXPECT_FALSE(open(seconds(4)));
  EXPECT_TRUE(open(seconds(5)));
}

TEST_P(TablesTest, SubmissionsAreCountedFromOneAndNeverReplaced) {
  SubmissionRecord submission;
  submission.attempt = AttemptId("att_1");
  submission.number = 1;
  submission.commit = std::string(40, 'c');
  submission.cause = v1::Submission::CAUSE_DEADLINE;
  submission.submit_time = clock_.Now();
  submission.push_receive_time = clock_.Now() - seconds(1);
  submission.run = RunId("run_1");
  submission.clock_version = 3;
  const auto create = [&] {
    return Write(
        [=](Transaction& tx) { return tx.submissions.Create(submission); });
  };
  const auto next = [&] {
    return *Read([](Transaction& tx) {
      return tx.submissions.NextNumber(AttemptId("att_1"));
    });
  };
  EXPECT_EQ(next(), 1);
  ASSERT_THAT(create(), IsOk());
  EXPECT_EQ(next(), 2);
  EXPECT_THAT(create(), FailsWith(Code::kAlreadyExists));
  const auto found = Read([](Transaction& tx) {
    return tx.submissions.Get(AttemptId("att_1"), 1);
  });
  EXPECT_EQ(found->push_receive_time, submission.push_receive_time);
  EXPECT_EQ(found->clock_version, 3);
}

TEST_P(TablesTest, TokensAreFoundByHashAndRevoked) {
  TokenRecord token{.id = TokenId("tok_1"),
                    .hash = "h1",
                    .role = v1::ROLE_CANDIDATE,
                    .label = "x",
                    .scope = TokenRecord::Scope::kGit,
                    .attempt = AttemptId("att_1"),
                    .repository = RepositoryId("rep_1"),
                    .create_time = clock_.Now(),
                    .expire_time = clock_.Now() + hours(1)};
  ASSERT_THAT(Write([=](Transaction& tx) { return tx.tokens.Create(token); }),
              IsOk());
  const auto get = [&] {
    return Read([](Transaction& tx) { return tx.tokens.GetByHash("h1"); });
  };
  EXPECT_EQ(get()->scope, TokenRecord::Scope::kGit);
  EXPECT_EQ(get()->expire_time, token.expire_time);
  EXPECT_FALSE(get()->revoke_time);
  const auto revoke = [&](Clock::TimePoint time) {
    return Write([time](Transaction& tx) {
      return tx.tokens.Revoke(TokenId("tok_1"), time);
    });
  };
  ASSERT_THAT(revoke(clock_.Now()), IsOk());
  ASSERT_THAT(revoke(clock_.Now() + hours(2)), IsOk());
  EXPECT_EQ(get()->revoke_time, clock_.Now()) << "the first time stays";
  EXPECT_THAT(Write([](Transaction& tx) {
                return tx.tokens.Revoke(TokenId("tok_2"), FromMicros(1));
              }),
              FailsWith(Code::kNotFound));
}

TEST_P(TablesTest, AccountsAndTheirSessionsAreKept) {
  AccountRecord account;
  account.id = "grace";
  account.display_name = "Grace H.";
  account.role = v1::ROLE_REVIEWER;
  account.password_hash = "$argon2id$1";
  account.create_time = account.password_time = clock_.Now();
  const auto create = [&] {
    return Write(
        [account](Transaction& tx) { return tx.accounts.Create(account); });
  };
  ASSERT_THAT(create(), IsOk());
  EXPECT_THAT(create(), FailsWith(Code::kAlreadyExists, "grace"));
  const auto now = clock_.Now() + seconds(5);
  ASSERT_THAT(
      Write([now](Transaction& tx) -> Status {
        ASSAY_RETURN_IF_ERROR(tx.accounts.SetRole("grace", v1::ROLE_AUTHOR));
        ASSAY_RETURN_IF_ERROR(tx.accounts.SetDisabled("grace", true));
        ASSAY_RETURN_IF_ERROR(
            tx.accounts.SetPassword("grace", "$argon2id$2", now));
        for (const char* hash : {"a", "b", "c"})
          ASSAY_RETURN_IF_ERROR(tx.accounts.OpenSession(
              {hash, "grace", now, now, now + hours(1), "127.0.0.1"}));
        ASSAY_RETURN_IF_ERROR(tx.accounts.TouchSession("b", now + minutes(9)));
        return tx.accounts.EndSession("c");
      }),
      IsOk());
  EXPECT_THAT(Write([](Transaction& tx) {
                return tx.accounts.SetRole("none", v1::ROLE_ADMIN);
              }),
              FailsWith(Code::kNotFound, "none"));
  const auto kept =
      Read([](Transaction& tx) { return tx.accounts.Get("grace"); });
  ASSERT_THAT(kept, IsOk());
  EXPECT_EQ(kept->role, v1::ROLE_AUTHOR);
  EXPECT_TRUE(kept->disabled);
  EXPECT_EQ(kept->password_hash, "$argon2id$2");
  EXPECT_EQ(kept->sign_in_time, now);
  const auto session =
      Read([](Transaction& tx) { return tx.accounts.GetSession("b"); });
  ASSERT_THAT(session, IsOk());
  EXPECT_EQ(session->use_time, now + minutes(9));
  EXPECT_EQ(session->peer, "127.0.0.1");
  const auto count = [now] {
    return [now](Transaction& tx) {
      return tx.accounts.CountSessions("grace", now);
    };
  };
  EXPECT_EQ(*Read(count()), 2);
  // "a" has not been used for nine minutes.
  ASSERT_THAT(Write([now](Transaction& tx) {
                return tx.accounts.EndExpiredSessions(now, now);
              }),
              IsOk());
  EXPECT_EQ(*Read(count()), 1);
  EXPECT_EQ(*Write([](Transaction& tx) {
    return tx.accounts.EndSessions("grace", "b");
  }),
            0);
  EXPECT_EQ(
      *Write([](Transaction& tx) { return tx.accounts.EndSessions("grace"); }),
      1);
}

TEST_P(TablesTest, WorkersAreKeptByName) {
  WorkerRecord said;
  said.name = "b";
  said.version = "1";
  said.cores = 4;
  said.memory_bytes = std::int64_t{8} << 30;
  said.attach_time = clock_.Now();
  const auto attach = [&] {
    return Write([said](Transaction& tx) { return tx.workers.Attach(said); });
  };
  ASSERT_THAT(attach(), IsOk());
  EXPECT_EQ(attach()->state, v1::Worker::STATE_ACTIVE);
  const auto now = clock_.Now() + seconds(1);
  const auto fault = [&](const char* run) {
    return Write([run, now](Transaction& tx) {
      return tx.workers.AddFault("b", RunId(run), "no disk", now);
    });
  };
  EXPECT_EQ(fault("run_1")->faults, 1);
  EXPECT_EQ(fault("run_1")->faults, 1);
  EXPECT_EQ(fault("run_2")->faults, 2);
  ASSERT_THAT(
      Write([](Transaction& tx) { return tx.workers.ClearFaults("b"); }),
      IsOk());
  for (const char* run : {"run_1", "run_2", "run_3"}) fault(run);
  said.version = "2";
  const auto again = attach();
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->version, "2");
  EXPECT_EQ(again->state, v1::Worker::STATE_QUARANTINED);
  EXPECT_EQ(again->actor, "system");
  EXPECT_EQ(again->state_time, now);
  EXPECT_EQ(again->memory_bytes, said.memory_bytes);
  EXPECT_EQ(again->reason,
            "3 runs in a row ended by its own fault, last: no disk");
  // One that somebody drained is not set aside as well.
  const auto set = [now](v1::Worker::State state) {
    return [state, now](Transaction& tx) {
      return tx.workers.SetState("b", state, "why", "Ada", now);
    };
  };
  EXPECT_EQ(Write(set(v1::Worker::STATE_ACTIVE))->faults, 0);
  ASSERT_THAT(Write(set(v1::Worker::STATE_DRAINED)), IsOk());
  for (const char* run : {"run_1", "run_2", "run_3"}) fault(run);
  EXPECT_EQ(fault("run_4")->state, v1::Worker::STATE_DRAINED);

  said.name = "a";
  ASSERT_THAT(attach(), IsOk());
  const auto list = Read([](Transaction& tx) { return tx.workers.List(); });
  ASSERT_THAT(list, IsOk());
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ(list->front().name, "a");
  ASSERT_THAT(Write([](Transaction& tx) { return tx.workers.Forget("b"); }),
              IsOk());
  EXPECT_THAT(Read([](Transaction& tx) { return tx.workers.Get("b"); }),
              FailsWith(Code::kNotFound, "b"));
  EXPECT_THAT(Write([](Transaction& tx) { return tx.workers.Forget("b"); }),
              FailsWith(Code::kNotFound, "assay worker list"));
}

// What it says is the overview service's test; here it is that both databases
// take its statements.
TEST_P(TablesTest, OverviewsAreOneQueryEach) {
  const AssignmentId orders("orders");
  const auto funnels =
      Read([](Transaction& tx) { return tx.overview.Funnels(); });
  ASSERT_THAT(funnels, IsOk());
  ASSERT_EQ(funnels->size(), 1);
  EXPECT_EQ(funnels->front().assignment, orders);
  EXPECT_EQ(funnels->front().spec.title(), "Orders");
  EXPECT_THAT(Read([](Transaction& tx) { return tx.overview.Waiting(10); }),
              IsOk());
  EXPECT_THAT(Read([](Transaction& tx) { return tx.queue.List(10); }), IsOk());
  EXPECT_THAT(
      Read([](Transaction& tx) { return tx.overview.RunDurations(10); }),
      IsOk());
  EXPECT_THAT(
      Read([&](Transaction& tx) { return tx.overview.Candidates(orders, {}); }),
      IsOk());
  EXPECT_THAT(
      Read([&](Transaction& tx) { return tx.overview.Scored(orders, 0, {}); }),
      IsOk());
  EXPECT_THAT(
      Read([&](Transaction& tx) { return tx.overview.Waits(orders, 1); }),
      IsOk());
}

TEST_P(TablesTest, TheReferenceIsNobodysTry) {
  const AssignmentId orders("orders");
  ASSERT_THAT(Write([](Transaction& tx) {
                return tx.assignments.Create([] {
                  AssignmentRecord other = SomeAssignment();
                  other.id = AssignmentId("others");
                  return other;
                }());
              }),
              IsOk());
  AttemptRecord reference = SomeAttempt();
  reference.id = AttemptId("att_reference");
  reference.repository = RepositoryId("rep_reference");
  reference.reference = true;
  reference.clock.start_time = clock_.Now();
  const auto create = [&] {
    return Write(
        [=](Transaction& tx) { return tx.attempts.Create(reference); });
  };
  ASSERT_THAT(create(), IsOk());
  const auto found =
      Read([&](Transaction& tx) { return tx.attempts.FindReference(orders); });
  ASSERT_TRUE(found.value());
  EXPECT_EQ((*found)->id, reference.id);
  EXPECT_TRUE((*found)->reference);
  EXPECT_FALSE(Attempt().reference);
  EXPECT_FALSE(Read([&](Transaction& tx) {
                 return tx.attempts.FindReference(AssignmentId("others"));
               }).value());
  reference.id = AttemptId("att_second");
  reference.repository = RepositoryId("rep_second");
  EXPECT_THAT(create(), FailsWith(Code::kAlreadyExists)) << "one is enough";

  const auto ids = [](const auto& attempts) {
    std::vector<std::string> names;
    for (const AttemptRecord& attempt : attempts)
      names.push_back(attempt.id.str());
    return names;
  };
  for (const AssignmentId& of : {orders, AssignmentId()})
    EXPECT_THAT(ids(Read([&](Transaction& tx) {
                      return tx.attempts.List(of, {});
                    })->items),
                ElementsAre("att_1"));
  EXPECT_THAT(ids(*Read([&](Transaction& tx) {
                return tx.attempts.ListRunning(orders);
              })),
              ElementsAre("att_1"));
  EXPECT_THAT(ids(*Read([&](Transaction& tx) {
                return tx.attempts.ListActiveDuring(orders, clock_.Now(),
                                                    clock_.Now() + hours(1));
              })),
              IsEmpty())
      << "the other's clock never started";
  EXPECT_EQ(Read([&](Transaction& tx) {
              return tx.assignments.Count(orders);
            })->attempts,
            1);
  const auto funnels =
      Read([](Transaction& tx) { return tx.overview.Funnels(); }).value();
  for (const FunnelRow& funnel : funnels) {
    EXPECT_EQ(funnel.accepted, funnel.assignment == orders ? 1 : 0);
    EXPECT_EQ(funnel.started, funnel.assignment == orders ? 1 : 0);
  }
}

TEST_P(TablesTest, RunsOfTheReferenceAreInNoStatistics) {
  const AssignmentId orders("orders");
  const auto end = [&](std::optional<v1::Score> score) {
    const RunId run = Enqueue(v1::Run::KIND_REFERENCE);
    const RunRecord taken = *Take();
    EXPECT_EQ(taken.id, run);
    EXPECT_THAT(Write([&](Transaction& tx) {
                  return tx.runs.Finish(run, taken.epoch, clock_.Now(),
                                        score ? v1::Run::OUTCOME_COMPLETED
                                              : v1::Run::OUTCOME_ERRORED,
                                        "", score);
                }),
                IsOk());
    return run;
  };
  const RunId scored = end(v1::Score());
  const RunId errored = end(std::nullopt);
  EXPECT_THAT(Read([&](Transaction& tx) {
                return tx.overview.Scored(orders, 0, {});
              })->items,
              IsEmpty());
  EXPECT_EQ(
      Read([](Transaction& tx) { return tx.overview.Waiting(10); })->count, 0);
  const auto newest = [&](int version, RunTable::Which which) {
    const auto run =
        Read([=](Transaction& tx) {
          return tx.runs.FindNewest(AttemptId("att_1"), version, which);
        }).value();
    return run ? run->id : RunId();
  };
  EXPECT_EQ(newest(1, RunTable::Which::kAny), errored);
  EXPECT_EQ(newest(1, RunTable::Which::kScored), scored);
  EXPECT_EQ(newest(2, RunTable::Which::kAny), RunId());
}

TEST_P(TablesTest, ARequestIdAnswersTheSameRequestOnly) {
  const RequestKey key{"tok_1", "Method", "r1"};
  ASSERT_THAT(Write([=](Transaction& tx) {
                return tx.requests.Record(key, "d1", "answer", FromMicros(1));
              }),
              IsOk());
  const auto find = [&](const RequestKey& asked, const char* digest) {
    return Read(
        [=](Transaction& tx) { return tx.requests.Find(asked, digest); });
  };
  EXPECT_EQ(*find(key, "d1"), "answer");
  EXPECT_THAT(find(key, "d2"), FailsWith(Code::kInvalidArgument, "r1"));
  EXPECT_EQ(*find({"tok_2", "Method", "r1"}, "d1"), std::nullopt);
  EXPECT_EQ(*find({"tok_1", "Other", "r1"}, "d1"), std::nullopt);
}

TEST_P(TablesTest, TheAuditLogIsAChain) {
  for (const char* detail : {"one", "two", "three"})
    ASSERT_THAT(Write([detail](Transaction& tx) {
                  return tx.audit.Append({.time = FromMicros(5),
                                          .actor = "ada",
                                          .action = "x",
                                          .subject = "y",
                                          .detail = detail});
                }),
                IsOk());
  const auto records =
      Read([](Transaction& tx) { return tx.audit.List(0, 10); }).value();
  ASSERT_EQ(records.size(), 3);
  EXPECT_EQ(records[1].previous_hash, records[0].hash);
  EXPECT_EQ(records[2].sequence, 3);
  EXPECT_EQ(Read([](Transaction& tx) { return tx.audit.Verify(); }), 3);
}

INSTANTIATE_TEST_SUITE_P(Stores, TablesTest, ::testing::ValuesIn(StoreKinds()),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace assay::storage
