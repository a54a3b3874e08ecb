#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/options.h"
#include "model/run.h"

namespace assay {

/// `assay sample` on another machine, by ssh: its lines, on our clock.
class NodeSampler {
 public:
  /// Starts it and learns how far its clock is off. `asked` is NODE=DEST[:PATH]. kUnavailable with
  /// what ssh said, kTimeout. Blocks for as long as the connection takes, at most kConnectTimeout.
  static Result<std::unique_ptr<NodeSampler>> connect(const std::string& asked, double rate_hz);
  /// Ends the other side and the thread.
  ~NodeSampler();
  NodeSampler(const NodeSampler&) = delete;
  NodeSampler& operator=(const NodeSampler&) = delete;

  [[nodiscard]] const std::string& node() const;

  /// What the node's lines become: those of stream `number` of a run that began at `epoch`, about
  /// these cells. `on_line` runs on the sampler's own thread; the first line is the header.
  struct Relay {
    int64_t number = 1;
    MonoNs epoch = 0;
    std::vector<std::string> cells;
    std::function<void(std::string line, bool is_header)> on_line;
    /// Its samples ended before the run did, and why; on the same thread, at most once.
    std::function<void(std::string why)> on_end;
  };
  /// Once.
  void start(Relay relay);

 private:
  NodeSampler();
  struct State;
  std::unique_ptr<State> state_;
};
inline constexpr Nanos kConnectTimeout = std::chrono::seconds(20);

/// Whether each NODE of --sample-node is that of one of `cells`: kInvalidArgument names the one
/// that would be joined with nothing.
Result<void> check_sample_nodes(const RunSpec& spec, const std::vector<Cell>& cells);

/// The samplers that --sample-node asks for. The first that cannot be had is the Error.
Result<std::vector<std::unique_ptr<NodeSampler>>> connect_nodes(const RunSpec& spec);

}  // namespace assay
