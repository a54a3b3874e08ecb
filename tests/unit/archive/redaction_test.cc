#include "archive/redaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/json.h"

namespace assay {
namespace {

using testing::HasSubstr;
using testing::Not;

RunMeta run_at(const std::string& url) {
  RunMeta meta;
  meta.run_id = "0f0e0d0c-0b0a-4908-8706-050403020100";
  meta.host = "workbench-7";
  meta.suite = "speed";
  meta.options_json = R"({"cells-yaml":"/Users/me/cells.yaml","target":["10.0.0.5:8000"]})";
  Cell cell;
  cell.id = "tower:ollama:m";
  cell.kind = "ollama";
  cell.url = url;
  meta.cells = {cell};
  Prompt prompt;
  prompt.id = "p";
  prompt.text = "Is 10.0.0.5 a private address?";
  meta.prompts = {prompt};
  return meta;
}

Aliases aliases_of(const RunMeta& meta) {
  Aliases aliases;
  suggest_aliases(meta, aliases);
  return aliases;
}

TEST(Redaction, HostsOfServersGetTheirNodesName) {
  const RunMeta meta = run_at("http://10.0.0.5:8000");
  Aliases aliases = aliases_of(meta);
  const auto line = redact_line(meta_line(meta), aliases);
  ASSERT_TRUE(line.has_value());
  const auto read = parse_meta(*line);
  ASSERT_TRUE(read.has_value()) << *line;
  EXPECT_EQ(read->cells[0].url, "http://tower:8000");
  EXPECT_EQ(read->host, "harness");
  EXPECT_THAT(read->options_json, HasSubstr("\"cells.yaml\""));
  EXPECT_THAT(read->options_json, Not(HasSubstr("10.0.0.5")));
  EXPECT_EQ(aliases.used().at("tower"), 2);
}

TEST(Redaction, PromptsStayByteForByte) {
  const RunMeta meta = run_at("http://10.0.0.5:8000");
  Aliases aliases = aliases_of(meta);
  EXPECT_EQ(parse_meta(redact_line(meta_line(meta), aliases).value())->prompts[0].text,
            meta.prompts[0].text);
}

TEST(Redaction, AHostThatIsANodeKeepsItsNickname) {
  RunMeta meta = run_at("http://127.0.0.1:11434");
  meta.host = "tower";
  Aliases aliases = aliases_of(meta);
  EXPECT_EQ(aliases.apply("tower"), "tower");
  EXPECT_EQ(aliases.apply("127.0.0.1:11434"), "tower:11434");
}

TEST(Redaction, OnlyWholeWordsAreReplaced) {
  Aliases aliases;
  aliases.set("10.0.0.5", "tower");
  aliases.set("vm", "box");
  EXPECT_EQ(aliases.apply("10.0.0.5, 10.0.0.51, 110.0.0.5, 10.0.0.5.6 and 10.0.0.5."),
            "tower, 10.0.0.51, 110.0.0.5, 10.0.0.5.6 and tower.");
  EXPECT_EQ(aliases.apply("vm vms my-vm vm-2 (vm)"), "box vms my-vm vm-2 (box)");
}

TEST(Redaction, TheLongerWordGoesFirst) {
  Aliases aliases;
  aliases.set("/Users/me", "~");
  aliases.set("/Users/me/work", "W");
  EXPECT_EQ(aliases.apply("/Users/me/work/x /Users/me/y"), "W/x ~/y");
}

TEST(Redaction, ACallKeepsEveryFigure) {
  CallRecord record;
  record.cell_id = "tower:ollama:m";
  record.error = "10.0.0.5:8000 refused the connection";
  record.at.due = 12;
  record.tokens = std::string("\x01\x02 vm \x03", 7);
  Aliases aliases;
  aliases.set("10.0.0.5", "tower");
  aliases.set("vm", "box");
  const auto read = parse_call(redact_line(call_line(record), aliases).value());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->error, "tower:8000 refused the connection");
  EXPECT_EQ(read->tokens, record.tokens);
  EXPECT_EQ(read->at.due, 12);
}

TEST(Redaction, MembersThatNobodyKnowsDoNotPass) {
  std::string line = call_line(CallRecord{});
  line.insert(line.size() - 1, R"(,"secret":"x")");
  Aliases aliases;
  EXPECT_THAT(redact_line(line, aliases).value(), Not(HasSubstr("secret")));
  EXPECT_FALSE(redact_line(R"({"type":"novelty","secret":"x"})", aliases).has_value());
  const CoolingWait wait{1, 2, "call", {}, 50.0, true};
  EXPECT_EQ(redact_line(wait_line(wait), aliases).value(), wait_line(wait));
  CellLoad load;
  load.memory_bytes = 7;
  EXPECT_EQ(redact_line(load_line(load), aliases).value(), load_line(load));
  EXPECT_FALSE(redact_line("{", aliases).has_value());
}

}  // namespace
}  // namespace assay
