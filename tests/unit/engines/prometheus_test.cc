#include "engines/prometheus.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

constexpr std::string_view kText =
    "# HELP vllm:generation_tokens_total Number of generation tokens processed.\n"
    "# TYPE vllm:generation_tokens_total counter\n"
    "vllm:generation_tokens_total{engine=\"0\",model_name=\"a } b\"} 1200.0\n"
    "vllm:generation_tokens_total{engine=\"1\",model_name=\"m\"} 34.0 1700000000000\n"
    "llamacpp:tokens_predicted_total 7\n"
    "llamacpp:tokens_predicted_total_other 9\n"
    "broken{\n"
    "empty";

TEST(Prometheus, AddsAMetricOverItsLabels) {
  EXPECT_EQ(metric_sum(kText, "vllm:generation_tokens_total"), 1234);
  EXPECT_EQ(metric_sum(kText, "llamacpp:tokens_predicted_total"), 7);
}

TEST(Prometheus, DoesNotTakeOtherLinesForAMetric) {
  EXPECT_FALSE(metric_sum(kText, "llamacpp:tokens"));
  EXPECT_FALSE(metric_sum(kText, "broken"));
  EXPECT_FALSE(metric_sum(kText, "empty"));
  EXPECT_FALSE(metric_sum("", "x"));
}

}  // namespace
}  // namespace assay
