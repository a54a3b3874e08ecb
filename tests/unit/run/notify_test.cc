#include "run/notify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "support/mock_calls.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(NotifyHook, IsACommandOrAWebhook) {
  const auto command = parse_hook(R"({"command": ["tell", "me"], "events": "regression"})");
  ASSERT_TRUE(command);
  EXPECT_THAT(command->command, ElementsAre("tell", "me"));
  EXPECT_TRUE(command->wants("regression"));
  EXPECT_FALSE(command->wants("win"));
  const auto webhook = parse_hook(R"({"webhook": "https://example.org/h/?token=x"})");
  ASSERT_TRUE(webhook);
  EXPECT_TRUE(webhook->wants("finished"));
}

TEST(NotifyHook, WhatIsWrongIsNamed) {
  const auto message = [](const char* text) {
    const auto hook = parse_hook(text);
    return hook ? std::string("no error") : hook.error().message;
  };
  EXPECT_THAT(message("[]"), HasSubstr("no JSON object"));
  EXPECT_THAT(message("{}"), HasSubstr("a command or a webhook"));
  EXPECT_THAT(message(R"({"comand": "x"})"), HasSubstr("unknown key 'comand'"));
  EXPECT_THAT(message(R"({"command": []})"), HasSubstr("'command'"));
  EXPECT_THAT(message(R"({"command": "x", "events": ["lost"]})"), HasSubstr("no event 'lost'"));
  EXPECT_THAT(message(R"({"webhook": "ftp://x"})"), HasSubstr("no address"));
}

TEST(NotifyHook, ACommandGetsThePayloadOnItsInput) {
  const auto file = std::filesystem::path(testing::TempDir()) / "notified";
  NotifyHook hook;
  hook.command = {"sh", "-c", "cat > \"$0\"", file.string()};
  const auto sent = send_notification(hook, "the payload\n");
  ASSERT_TRUE(sent) << sent.error().message;
  EXPECT_EQ(*read_file(file), "the payload\n");
}

TEST(NotifyHook, ACommandThatFailsIsAnError) {
  NotifyHook hook;
  hook.command = {"false"};
  EXPECT_THAT(send_notification(hook, "x").error().message, HasSubstr("false ended with 1"));
}

TEST(NotifyHook, AWebhookGetsThePayloadAsItsBody) {
  const auto server = test::start_mock();
  ASSERT_TRUE(server);
  NotifyHook hook;
  hook.webhook = "http://127.0.0.1:" + std::to_string(server->port()) + "/v1/chat/completions";
  const auto sent = send_notification(hook, test::chat_request("mock", false).dump());
  EXPECT_TRUE(sent) << sent.error().message;
  EXPECT_EQ(test::get(*server, "/stats")["by_model"]["mock"], 1);
}

TEST(NotifyHook, AWebhooksRefusalNamesItsHostOnly) {
  const auto server = test::start_mock();
  ASSERT_TRUE(server);
  NotifyHook hook;
  hook.webhook = "http://127.0.0.1:" + std::to_string(server->port()) + "/hook/secret?token=secret";
  const auto sent = send_notification(hook, "{}");
  ASSERT_FALSE(sent);
  EXPECT_THAT(sent.error().message, HasSubstr("127.0.0.1 answered 404"));
  EXPECT_THAT(sent.error().message, Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace assay
