#include "model/sample_node.h"

#include <gtest/gtest.h>

#include "model/options.h"

namespace assay {
namespace {

TEST(SampleNode, APathNamesTheProgramOverThere) {
  const auto plain = parse_sample_node("box=me@box");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->node, "box");
  EXPECT_EQ(plain->destination, "me@box");
  EXPECT_EQ(plain->program, "assay");
  const auto path = parse_sample_node("box=me@box:/opt/assay-1.2/bin/assay");
  ASSERT_TRUE(path);
  EXPECT_EQ(path->destination, "me@box");
  EXPECT_EQ(path->program, "/opt/assay-1.2/bin/assay");
  const auto url = parse_sample_node("a=ssh://me@box:2222:~/assay");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->destination, "ssh://me@box:2222");
  EXPECT_EQ(url->program, "~/assay");
  EXPECT_EQ(parse_sample_node("a=ssh://me@box:2222")->destination, "ssh://me@box:2222");
}

TEST(SampleNode, WhatAShellWouldReadIsRefused) {
  for (const char* text : {"", "box", "=box", "box=", "box=-oProxyCommand=x", "box=b x",
                           "box=b:/a;reboot", "box=b:/$(x)", "box=b:/a/", "box=:/a", "box=b:~/~"}) {
    EXPECT_FALSE(parse_sample_node(text)) << text;
  }
}

TEST(SampleNode, OneNodeIsSampledOnce) {
  RunSpec spec;
  spec.sample_nodes = {"box=a", "box=b"};
  bool said = false;
  for (const std::string& fault : check_spec(spec)) {
    said = said || fault.find("--sample-node names box twice") != std::string::npos;
  }
  EXPECT_TRUE(said);
}

}  // namespace
}  // namespace assay
