#include "run/notify.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "process/command.h"
#include "run/wait_for.h"

namespace assay {
namespace {

using Json = nlohmann::json;

/// A webhook's address, which unlike a server's base may have a query.
struct Address {
  Url url;
  std::string target;
};

Result<Address> parse_address(const std::string& text) {
  const size_t question = std::min(text.find('?'), text.size());
  const std::string base = text.substr(0, question);
  auto url = parse_url(base);
  if (!url) return fail(Errc::kInvalidArgument, "its webhook is no address", "http and https only");
  Address address{std::move(*url), ""};
  if (address.url.path.empty() || base.ends_with('/')) address.target = "/";
  address.target += text.substr(question);
  return address;
}

bool is_event(const std::string& name) {
  return std::find(std::begin(kNotifyEvents), std::end(kNotifyEvents), name) !=
         std::end(kNotifyEvents);
}

/// A list of texts, or one; false when it is anything else.
bool take_texts(const Json& json, std::vector<std::string>& into) {
  if (json.is_string()) {
    into.push_back(json.get<std::string>());
    return true;
  }
  if (!json.is_array()) return false;
  for (const Json& item : json) {
    if (!item.is_string()) return false;
    into.push_back(item.get<std::string>());
  }
  return !into.empty();
}

Result<void> send_to_command(const NotifyHook& hook, const std::string& payload) {
  const auto done = run_command(hook.command, payload, kCommandTimeout);
  if (!done) return fail(done.error());
  if (done->exit_code == 0) return {};
  return fail(Errc::kIo,
              fmt::format("{} ended with {}", printable(hook.command[0], 80), done->exit_code));
}

Result<void> send_to_webhook(const NotifyHook& hook, const std::string& payload) {
  const auto address = parse_address(hook.webhook);
  if (!address) return fail(address.error());
  HttpRequest request;
  request.method = "POST";
  request.target = address->target;
  request.body = payload;
  Session session;
  const auto answer =
      session.wait_for(session.http.fetch(address->url, request, Secret(), kWebhookTimeout));
  // Only the host: the rest of the address may be a key.
  const std::string who = "the webhook at " + address->url.host;
  if (!answer && answer.error().code == Errc::kTimeout) {
    return fail(Errc::kTimeout,
                fmt::format("{} did not answer within {}", who, duration_text(kWebhookTimeout)));
  }
  if (!answer) return fail(Errc::kUnavailable, who + " cannot be reached");
  const int status = answer->first.status;
  if (status >= 200 && status < 300) return {};
  return fail(Errc::kProtocol, fmt::format("{} answered {}", who, status));
}

}  // namespace

bool NotifyHook::wants(std::string_view event) const {
  return events.empty() || std::find(events.begin(), events.end(), event) != events.end();
}

Result<NotifyHook> parse_hook(std::string_view text) {
  const auto bad = [](std::string what) {
    return fail(Errc::kInvalidArgument, "notify: " + std::move(what),
                R"(write {"command": ["program"], "events": ["regression"]} or {"webhook": URL})");
  };
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return bad("this is no JSON object");
  NotifyHook hook;
  for (const auto& [key, value] : json.items()) {
    bool fine = true;
    if (key == "command") {
      fine = take_texts(value, hook.command) && !hook.command[0].empty();
    } else if (key == "webhook") {
      fine = value.is_string();
      if (fine) hook.webhook = value.get<std::string>();
    } else if (key == "events") {
      fine = take_texts(value, hook.events);
    } else {
      return bad(fmt::format("unknown key '{}'", printable(key, 60)));
    }
    if (!fine) return bad(fmt::format("'{}' is not what it should be", key));
  }
  if (hook.command.empty() == hook.webhook.empty()) {
    return bad("it has to have a command or a webhook");
  }
  for (const std::string& event : hook.events) {
    if (!is_event(event)) {
      return bad(fmt::format("there is no event '{}'; events are {}", printable(event, 60),
                             fmt::join(kNotifyEvents, ", ")));
    }
  }
  if (!hook.webhook.empty()) {
    if (auto address = parse_address(hook.webhook); !address) return bad(address.error().message);
  }
  return hook;
}

Result<void> send_notification(const NotifyHook& hook, const std::string& payload) {
  return hook.command.empty() ? send_to_webhook(hook, payload) : send_to_command(hook, payload);
}

}  // namespace assay
