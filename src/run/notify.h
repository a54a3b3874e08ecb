#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace assay {

/// Who is told how a run went: a program or an address.
struct NotifyHook {
  std::vector<std::string> command;  ///< The program and its arguments; no shell. Empty: a webhook.
  std::string webhook;               ///< As good as a key: never printed, never recorded.
  std::vector<std::string> events;   ///< Of kNotifyEvents; all when none are named.

  [[nodiscard]] bool wants(std::string_view event) const;
};
inline constexpr std::string_view kNotifyEvents[] = {"regression", "win", "red_flag", "finished"};
inline constexpr Nanos kCommandTimeout = std::chrono::seconds(10);
inline constexpr Nanos kWebhookTimeout = std::chrono::seconds(5);

/// `{"command": ["program", "argument"], "events": ["regression"]}` or `{"webhook": "https://…"}`.
/// kInvalidArgument says what is wrong.
Result<NotifyHook> parse_hook(std::string_view json);

/// Gives `payload` to the hook: on the command's standard input, or as the body of a POST. An Error
/// is worth a warning and nothing more. Blocks the calling thread.
Result<void> send_notification(const NotifyHook& hook, const std::string& payload);

}  // namespace assay
