#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "reports/builtin.h"
#include "reports/machine_figures.h"
#include "reports/report_model.h"
#include "unit/reports/html_checks.h"
#include "unit/reports/sample_runs.h"
#include "unit/stats/machine_samples.h"

namespace assay {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

/// A run whose one cell's machine has every sensor, and gets hot.
LedgerContent hot_run(int64_t seconds) {
  LedgerContent ledger = synthetic::prompt_run();
  const std::string cell = ledger.meta.cells[0].id;
  ledger.telemetry = {synthetic::sampled(cell, seconds, [](int64_t second, TelemetrySample& s) {
    const auto t = static_cast<double>(second);
    s.cpu_percent = 95 + std::sin(t);
    s.cpu_mhz = 3600 - 10 * t;
    s.cpu_temperature_c = 60 + t / 2;
    s.cpu_power_w = 45;
    s.cpu_energy_j = 45 * t;
    s.cpu_throttle_events = second > 3 ? second : 0;
    s.engine_memory_bytes = 1.5e9;
    s.gpus.resize(2);
    for (GpuSample& gpu : s.gpus) {
      gpu.percent = 50;
      gpu.temperature_c = 70;
      gpu.mhz = 1800;
      gpu.power_w = 120;
    }
  })};
  ledger.telemetry[0].missing = {{"swap_used_bytes", "no <swap> here"}};
  return ledger;
}

TEST(MachineReport, ThePageShowsTheMachineUnderTheCalls) {
  const std::string html = render_html(make_report_model(hot_run(200)), {});
  expect_balanced(html);
  expect_alone(html);
  expect_links_lead_somewhere(html);
  EXPECT_THAT(html, HasSubstr("<section id=\"machine\"><h2>"));
  for (const char* strip : {"Temperature, °C: CPU", "Power, W: CPU packages", "Clock, MHz: CPU",
                            "Use, %: CPU", "GPU 1"}) {
    EXPECT_THAT(html, HasSubstr(strip));
  }
  EXPECT_THAT(html, HasSubstr("class=\"th\"")) << "throttled time is shaded";
  EXPECT_THAT(html, HasSubstr("The machine while the calls of each leg were in flight"));
  EXPECT_THAT(html, HasSubstr("no swap_used_bytes: no &lt;swap&gt; here"));
}

TEST(MachineReport, ALongRunsPictureStaysSmall) {
  LedgerContent none = hot_run(200);
  none.telemetry.clear();
  const size_t without = render_html(make_report_model(std::move(none)), {}).size();
  const size_t with = render_html(make_report_model(hot_run(20'000)), {}).size();
  EXPECT_LT(with - without, 30'000U);
}

TEST(MachineReport, ARunWithoutSamplesHasNoSuchPart) {
  const std::string html = render_html(make_report_model(synthetic::prompt_run()), {});
  EXPECT_THAT(html, Not(HasSubstr("id=\"machine\"")));
}

TEST(MachineReport, TheTerminalSaysItInOneSentence) {
  const std::string text = render_console(make_report_model(hot_run(200)), {});
  EXPECT_THAT(text, HasSubstr("note: machine: CPU 9"));
  EXPECT_THAT(text, HasSubstr("J/token"));
  EXPECT_THAT(text, HasSubstr("throttled:"));
}

TEST(MachineReport, ACardWhoseUseIsUnknownIsStillTheSubject) {
  LedgerContent ledger = hot_run(200);
  for (TelemetrySample& sample : ledger.telemetry[0].samples) {
    for (GpuSample& gpu : sample.gpus) {
      gpu.percent.reset();
      gpu.temperature_c.reset();
    }
  }
  const auto notes = machine_notes(make_report_model(std::move(ledger)));
  ASSERT_FALSE(notes.empty());
  EXPECT_THAT(notes[0], HasSubstr(", GPU at 1,800 MHz"));
}

TEST(MachineReport, StealAndSwapAreToldWhereThereIsAny) {
  LedgerContent ledger = hot_run(200);
  for (TelemetrySample& sample : ledger.telemetry[0].samples) {
    sample.steal_percent = 12;
    sample.swap_used_bytes = 2e9;
    sample.disk_read_bytes_per_s = 0;
  }
  const ReportModel model = make_report_model(std::move(ledger));
  EXPECT_THAT(machine_notes(model)[0], HasSubstr("12 % taken by other guests, swap 2.0 GB"));
  const LegResult& leg = model.legs[0];
  const auto mark = std::find_if(leg.marks.begin(), leg.marks.end(),
                                 [](const LegMark& one) { return one.code == "steal"; });
  ASSERT_NE(mark, leg.marks.end());
  EXPECT_EQ(mark->detail, "other guests of the host took 12 % of the processors' time");
  const auto table = machine_table(model);
  ASSERT_TRUE(table);
  std::vector<std::string> titles;
  for (const Column& column : table->columns) titles.push_back(column.title);
  EXPECT_THAT(titles, AllOf(Contains("Steal"), Contains("Swap"), Not(Contains("Disks"))));
  EXPECT_EQ(titles[1], "Throttled") << "in sight on a narrow screen";
  const auto json = nlohmann::ordered_json::parse(render_json(model, {}));
  const auto& machine = json["legs"][0]["telemetry"];
  EXPECT_EQ(machine["steal_percent"], 12);
  EXPECT_EQ(machine["peak_swap_used_bytes"], 2e9);
  EXPECT_EQ(machine["disk_read_bytes_per_s"], 0);
}

TEST(MachineReport, EachDeviceHasItsStrokeAndTheLegendNamesIt) {
  const std::string html = render_html(make_report_model(hot_run(200)), {});
  for (const char* part : {"<i class=\"k0\"></i>CPU", "<i class=\"k1\"></i>GPU 0",
                           "<i class=\"k2\"></i>GPU 1", "<path class=\"l2\""}) {
    EXPECT_THAT(html, HasSubstr(part));
  }
}

TEST(MachineReport, WhatSensorsDoNotTellIsANoteWithItsReason) {
  LedgerContent ledger = hot_run(10);
  auto& about = ledger.telemetry[0];
  about.missing = {{"cpu_temperature_c", "no chip"}, {"cpu_power_w", "no counter"}};
  about.gpus = 1;
  about.missing["gpu0_power_w"] = "it does not tell";
  const auto notes = machine_notes(make_report_model(std::move(ledger)));
  EXPECT_THAT(notes, Contains("node local tells no power (no counter)"))
      << "a card tells a temperature";
}

TEST(MachineReport, JsonHasEveryFigure) {
  const auto json = nlohmann::ordered_json::parse(render_json(make_report_model(hot_run(200)), {}));
  const auto& machine = json["legs"][0]["telemetry"];
  EXPECT_NEAR(machine["cpu_percent"].get<double>(), 95, 1.1);
  EXPECT_EQ(machine["peak_engine_memory_bytes"], 1.5e9);
  ASSERT_EQ(machine["energy"].size(), 2U);
  EXPECT_EQ(machine["energy"][0]["domain"], "cpu_pkg");
  EXPECT_NEAR(machine["energy"][0]["mean_power_w"].get<double>(), 45, 0.01);
  EXPECT_EQ(machine["energy"][1]["domain"], "gpu");
  EXPECT_NEAR(machine["energy"][1]["mean_power_w"].get<double>(), 240, 0.01);
  EXPECT_EQ(json["telemetry"][0]["samples"], 200);
}

TEST(MachineReport, ARemoteEngineIsNamed) {
  LedgerContent ledger = hot_run(10);
  ledger.telemetry[0].cells = {};
  const ReportModel model = make_report_model(std::move(ledger));
  const auto json = nlohmann::ordered_json::parse(render_json(model, {}));
  EXPECT_EQ(json["legs"][0]["telemetry"]["missing"], "remote");
  EXPECT_THAT(render_html(model, {}), HasSubstr("remote: "));
  EXPECT_THAT(render_console(model, {}), HasSubstr("machine: remote, not sampled"));
  EXPECT_THAT(render_markdown(model, {}), HasSubstr("machine: remote, not sampled"));
}

}  // namespace
}  // namespace assay
