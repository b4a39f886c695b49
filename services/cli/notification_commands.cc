#include "assay/v1/notification_service.grpc.pb.h"
#include "services/cli/command_line.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::NotificationService::Stub;

struct ListOptions {
  bool texts = false;
};
struct RetryOptions {
  std::string name;
};

std::string ChannelText(v1::Notification::Channel channel) {
  switch (channel) {
    case v1::Notification::CHANNEL_MAIL:
      return "mail";
    case v1::Notification::CHANNEL_WEBHOOK:
      return "web hook";
    case v1::Notification::CHANNEL_KEPT:
      return "none set up";
    default:
      return "";
  }
}

std::string StateText(v1::Notification::State state) {
  switch (state) {
    case v1::Notification::STATE_WAITING:
      return "waiting";
    case v1::Notification::STATE_SENT:
      return "sent";
    case v1::Notification::STATE_FAILED:
      return "failed";
    case v1::Notification::STATE_KEPT:
      return "kept";
    default:
      return "unknown";
  }
}

void PrintTexts(Console& console, const v1::ListNotificationsResponse& all) {
  for (const v1::Notification& item : all.notifications()) {
    console.Fields({{"notification", ShortName(item.name())},
                    {"topic", item.topic()},
                    {"to", Printable(item.recipient())},
                    {"state", StateText(item.state())},
                    {"problem", Printable(item.problem())},
                    {"subject", Printable(item.subject())}});
    console.Line();
    console.Line(Printable(item.body(), Lines::kMany));
    console.Line();
  }
}

Outcome List(Context& context, const ListOptions& options) {
  v1::ListNotificationsRequest request;
  v1::ListNotificationsResponse all;
  do {
    ASSAY_ASSIGN_OR_RETURN(
        const auto page,
        context.server().Call(&Stub::ListNotifications, request));
    all.mutable_notifications()->MergeFrom(page.notifications());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  Console& console = context.console();
  if (console.json()) {
    console.Json(all);
    return kSuccess;
  }
  if (options.texts) {
    PrintTexts(console, all);
    return kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::Notification& item : all.notifications())
    rows.push_back(
        {ShortName(item.name()), TimeText(item.create_time()), item.topic(),
         ChannelText(item.channel()), StateText(item.state()),
         std::to_string(item.tries()), Printable(item.recipient()),
         Printable(item.problem().empty() ? item.subject() : item.problem())});
  console.Table({"NOTIFICATION", "TIME", "TOPIC", "BY", "STATE", "TRIES", "TO",
                 "SUBJECT OR PROBLEM"},
                rows);
  return kSuccess;
}

Outcome Retry(Context& context, const RetryOptions& options) {
  v1::RetryNotificationRequest request;
  request.set_name(FullName("notifications", options.name));
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(&Stub::RetryNotification, request));
  if (context.console().json())
    context.console().Json(response.notification());
  else
    context.console().Line(ShortName(response.notification().name()) + " is " +
                           StateText(response.notification().state()));
  return kSuccess;
}

}  // namespace

void AddNotificationCommands(CommandLine& line) {
  CLI::App& group = line.Group(line.app(), "notification",
                               "What people and programs outside are told");
  auto list = line.Add<ListOptions>(
      group, "list", "Messages, newest first: sent, waiting, failed or kept",
      "  assay notification list\n  assay notification list --texts", List);
  list.app.add_flag("--texts", list.options->texts, "With their whole texts");
  auto retry = line.Add<RetryOptions>(
      group, "retry", "Try a message again that failed or was kept",
      "  assay notification retry ntf_7f3k", Retry);
  retry.app.add_option("name", retry.options->name, "Notification")->required();
}

}  // namespace assay::cli
