#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <optional>
#include <string>

#include "model/run.h"
#include "net/task.h"
#include "run/cooling_gates.h"

namespace assay {

/// Leaves the machine to cool before calls, as --cooldown says. Load thread only.
class Cooling {
 public:
  struct Hooks {
    std::function<std::optional<MachineReadings>()> latest;  ///< What its sensors said last.
    std::function<bool()> stopping;                          ///< Ends a wait that is under way.
    /// What people are told meanwhile, `cooling to 60 °C, now 68 °C`; empty when it is over.
    std::function<void(std::string)> doing;
    /// A stretch in which nothing was in flight because of a gate.
    std::function<void(const CoolingWait&)> rested;
  };
  /// `epoch`: the run's start.
  Cooling(boost::asio::io_context& io, const Cooldown& cooldown, MonoNs epoch, Hooks hooks);

  /// Waits at the gate before a call of `cell`. False where it was held up for as long as it may
  /// and the machine is still hotter than it should be.
  Task<bool> pass(int64_t cell);
  /// A call that was sent is over.
  void ended(const CallRecord& call);
  /// Whether any call is in flight, whenever that may have changed.
  void in_flight(bool any);

 private:
  void settle();
  [[nodiscard]] std::string words() const;

  boost::asio::io_context& io_;
  CoolingGates gates_;
  const MonoNs epoch_;
  const Hooks hooks_;
  std::optional<CoolingGates::Standing> standing_;
  CoolingWait last_;  ///< The gate that stood last, without its instants.
  int64_t waiting_ = 0;
  bool in_flight_ = false;
  std::optional<MonoNs> rest_began_;
};

}  // namespace assay
