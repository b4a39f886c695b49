#include "services/notify/notifier.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>
#include <vector>

#include "services/notify/reminders.h"
#include "services/storage/store.h"

namespace assay::notify {
namespace {

namespace asio = boost::asio;
using storage::NotificationRecord;
using storage::Transaction;
using Records = std::vector<NotificationRecord>;

constexpr std::int32_t kAtOnce = 32;
constexpr std::chrono::minutes kFirstPause{1};
constexpr std::chrono::hours kLongestPause{6};

// Decides on the way of a message. One that goes both ways becomes two.
Status Route(Transaction& tx, const Ways& ways, NotificationRecord record) {
  using Record = v1::Notification;
  std::vector<std::pair<Record::Channel, std::string>> targets;
  const std::string& address =
      record.recipient.empty() ? ways.staff_mail : record.recipient;
  if (ways.mails() && !address.empty())
    targets.emplace_back(Record::CHANNEL_MAIL, address);
  if (ways.calls())
    targets.emplace_back(Record::CHANNEL_WEBHOOK, ways.webhook_url);
  if (targets.empty()) {
    record.channel = Record::CHANNEL_KEPT;
    record.state = Record::STATE_KEPT;
    return tx.notifications.Update(record);
  }
  record.channel = targets.front().first;
  record.recipient = targets.front().second;
  ASSAY_RETURN_IF_ERROR(tx.notifications.Update(record));
  if (targets.size() == 1) return {};
  record.id = NotificationId::Random();
  record.channel = targets.back().first;
  record.recipient = targets.back().second;
  return tx.notifications.Create(record);
}

// Reminders first, then a way for each message that has none yet.
Expected<Records> TakeDue(Transaction& tx, const Ways& ways,
                          Clock::TimePoint now,
                          std::chrono::milliseconds claim) {
  ASSAY_RETURN_IF_ERROR(RemindDue(tx, now));
  ASSAY_ASSIGN_OR_RETURN(const Records fresh,
                         tx.notifications.ListDue(now, kAtOnce));
  for (const NotificationRecord& record : fresh) {
    if (record.channel == v1::Notification::CHANNEL_UNSPECIFIED)
      ASSAY_RETURN_IF_ERROR(Route(tx, ways, record));
  }
  ASSAY_ASSIGN_OR_RETURN(Records due, tx.notifications.ListDue(now, kAtOnce));
  if (claim.count() == 0) return due;
  for (NotificationRecord& record : due) {
    record.next_try_time = now + claim;
    ASSAY_RETURN_IF_ERROR(tx.notifications.Update(record));
  }
  return due;
}

// A link's secret is in the mail and nowhere else.
void ForgetSecret(NotificationRecord& record) {
  if (record.topic == "invitation") record.body = "(the link was sent)";
}

void NoteResult(NotificationRecord& record, const Status& delivered,
                int most_tries, Clock::TimePoint now) {
  ++record.tries;
  if (delivered) {
    record.state = v1::Notification::STATE_SENT;
    record.send_time = now;
    record.problem.clear();
    ForgetSecret(record);
    return;
  }
  record.problem = delivered.error().message;
  if (record.tries >= most_tries) {
    record.state = v1::Notification::STATE_FAILED;
    ForgetSecret(record);
    return;
  }
  const auto pause = std::min<std::chrono::microseconds>(
      kLongestPause, kFirstPause * (1 << std::min(record.tries - 1, 12)));
  record.next_try_time = now + pause;
}

}  // namespace

class Notifier::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::any_io_executor executor, storage::Store& store,
        const Clock& clock, NotifierOptions options)
      : strand_(std::move(executor)),
        timer_(strand_),
        store_(store),
        clock_(clock),
        options_(std::move(options)) {}
  ~State() { thread_.join(); }

  void Stop() {
    stopped_ = true;
    timer_.cancel();
  }
  void Wake() {
    woken_ = true;
    timer_.cancel();
  }

  static asio::awaitable<void> Loop(std::shared_ptr<State> state);
  static asio::awaitable<Expected<int>> Sweep(std::shared_ptr<State> state);

  const asio::any_io_executor& strand() const { return strand_; }

 private:
  // Hands one message over on the thread, and goes on here.
  asio::awaitable<Status> Send(NotificationRecord record);

  const asio::any_io_executor strand_;
  asio::steady_timer timer_;
  storage::Store& store_;
  const Clock& clock_;
  const NotifierOptions options_;
  asio::thread_pool thread_{1};
  bool stopped_ = false;
  bool woken_ = false;
};

asio::awaitable<Status> Notifier::State::Send(NotificationRecord record) {
  auto job = [ways = options_.ways, record = std::move(record),
              now = clock_.Now()] { return Deliver(ways, record, now); };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&,
                                          void(Status)>(
      [this](auto handler, auto work) {
        auto origin = asio::prefer(asio::get_associated_executor(handler),
                                   asio::execution::outstanding_work.tracked);
        asio::post(thread_, [work = std::move(work),
                             handler = std::move(handler),
                             origin = std::move(origin)]() mutable {
          asio::post(origin,
                     [handler = std::move(handler), result = work()]() mutable {
                       std::move(handler)(std::move(result));
                     });
        });
      },
      asio::use_awaitable, std::move(job));
}

asio::awaitable<Expected<int>> Notifier::State::Sweep(
    std::shared_ptr<State> state) {
  State& self = *state;
  auto due = co_await self.store_.Write(
      [ways = self.options_.ways, now = self.clock_.Now(),
       claim = self.options_.claim](Transaction& tx) {
        return TakeDue(tx, ways, now, claim);
      });
  if (!due) co_return std::unexpected(due.error());
  int sent = 0;
  for (NotificationRecord& record : *due) {
    if (self.stopped_) co_return sent;
    const Status delivered = co_await self.Send(record);
    if (self.stopped_) co_return sent;
    if (!delivered)
      spdlog::warn("notification {}: {}", record.id.str(),
                   delivered.error().message);
    NoteResult(record, delivered, self.options_.most_tries, self.clock_.Now());
    if (delivered) ++sent;
    const Status noted = co_await self.store_.Write(
        [record](Transaction& tx) { return tx.notifications.Update(record); });
    if (!noted) co_return std::unexpected(noted.error());
  }
  co_return sent;
}

asio::awaitable<void> Notifier::State::Loop(std::shared_ptr<State> state) {
  State& self = *state;
  while (!self.stopped_) {
    self.woken_ = false;
    // What failed (a full disk) is as it was, and looked at again.
    const auto sent = co_await Sweep(state);
    if (!sent) spdlog::warn("notifications: {}", sent.error().message);
    if (self.stopped_) co_return;
    // A full batch may have more behind it.
    if (self.woken_ || (sent && *sent == kAtOnce)) continue;
    self.timer_.expires_after(self.options_.interval);
    co_await self.timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

Notifier::Notifier(asio::any_io_executor strand, storage::Store& store,
                   const Clock& clock, NotifierOptions options)
    : state_(std::make_shared<State>(std::move(strand), store, clock,
                                     std::move(options))) {}
Notifier::~Notifier() { Stop(); }

void Notifier::Start() {
  asio::co_spawn(state_->strand(), State::Loop(state_),
                 [](std::exception_ptr error) {
                   if (error) std::rethrow_exception(error);
                 });
}
void Notifier::Stop() { state_->Stop(); }
void Notifier::Wake() { state_->Wake(); }

asio::awaitable<Expected<int>> Notifier::Sweep() {
  return State::Sweep(state_);
}

}  // namespace assay::notify
