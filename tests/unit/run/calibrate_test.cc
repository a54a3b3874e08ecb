#include "run/calibrate.h"

#include <gtest/gtest.h>

#include "model/json.h"
#include "run/machine_probe.h"

namespace assay {
namespace {

TEST(Calibration, FindsWhatTheStampsAreOffAndWhatTheClientTakes) {
  Session session;
  const auto found = calibrate(session, 4);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->concurrency, 4);
  EXPECT_GE(found->bias_p50_ms, 0) << "a stamp cannot come before the sending";
  EXPECT_LE(found->bias_p50_ms, found->bias_p99_ms);
  EXPECT_GT(found->events_per_sec, 4 / 0.005) << "faster than the steady part's four streams";
}

TEST(MachineProbe, FindsRatesThatAMachineCanHave) {
  const MachineCeiling found = probe_machine(1, 16 << 20);
  EXPECT_EQ(found.threads, 1);
  EXPECT_EQ(found.bytes, 16 << 20);
  EXPECT_GT(found.bytes_per_sec, 1e8);
  EXPECT_LT(found.bytes_per_sec, 1e13);
  EXPECT_GT(found.operations_per_sec, 1e8);
  EXPECT_LT(found.operations_per_sec, 1e14);
}

TEST(MachineProbe, KeepsItsBufferWithinBounds) {
  EXPECT_EQ(probe_machine(1, 1).bytes, kLeastProbeBytes);
}

TEST(Instrument, IsTheSameAfterWritingAndReading) {
  Instrument instrument;
  instrument.calibration = Calibration{4, 0.01, 0.08, 123456, "2026-01-31T12:00:00.000Z"};
  const auto read = read_instrument(instrument_text(instrument));
  ASSERT_TRUE(read);
  ASSERT_TRUE(read->calibration);
  EXPECT_EQ(read->calibration->events_per_sec, 123456);
  EXPECT_FALSE(read->machine);
}

}  // namespace
}  // namespace assay
