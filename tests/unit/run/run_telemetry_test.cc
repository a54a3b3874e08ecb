#include "run/run_telemetry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace assay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Cell cell(const std::string& id, const std::string& url) {
  Cell c;
  c.id = id;
  c.url = url;
  return c;
}

TEST(SampledCells, OnlyEnginesOnThisMachineAreJoinedToIt) {
  RunMeta meta;
  meta.cells = {cell("local:ollama:a", "http://127.0.0.1:11434"),
                cell("box:ollama:b", "http://203.0.113.9:11434"), cell("none:ollama:c", "")};
  const SampledCells cells = sampled_cells(meta, {});
  EXPECT_THAT(cells.local, ElementsAre("local:ollama:a"));
}

TEST(SampledCells, ANamedNodeGoesBeforeTheAddress) {
  RunMeta meta;
  // The second is reached by a tunnel of ssh.
  meta.cells = {cell("box:ollama:a", "http://203.0.113.9:11434"),
                cell("far:ollama:b", "http://127.0.0.1:9999")};
  const SampledCells cells = sampled_cells(meta, {"box", "far"});
  EXPECT_THAT(cells.local, IsEmpty());
  ASSERT_EQ(cells.nodes.size(), 2U);
  EXPECT_THAT(cells.nodes[0], ElementsAre("box:ollama:a"));
  EXPECT_THAT(cells.nodes[1], ElementsAre("far:ollama:b"));
}

}  // namespace
}  // namespace assay
