#include "run/node_sampler.h"

#include <fmt/format.h>

#include <atomic>
#include <deque>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/text.h"
#include "model/sample_node.h"
#include "process/line_child.h"
#include "store/telemetry_relay.h"
#include "telemetry/clock_offset.h"

namespace assay {
namespace {

constexpr int kFirstQuestions = 5;
constexpr MonoNs kAskEveryNs = 5'000'000'000;
constexpr Nanos kTurn = std::chrono::milliseconds(200);
constexpr size_t kMaxBacklog = 64;

}  // namespace

struct NodeSampler::State {
  std::string node;
  std::unique_ptr<LineChild> child;
  ClockOffset clock;
  int64_t questions = 0;
  MonoNs asked_at = 0;
  std::deque<std::string> backlog;  ///< Lines that came before start().
  Relay relay;
  size_t columns = 0;
  std::optional<std::string> header;
  std::atomic<bool> stopping = false;
  std::thread thread;

  Result<void> ask();
  bool is_answer(const std::string& line, MonoNs heard);
  Result<void> learn_clock();
  void pass_on(const std::string& line);
  void run();
};

Result<void> NodeSampler::State::ask() {
  asked_at = mono_now_ns();
  return child->say(fmt::format("{}", ++questions));
}

bool NodeSampler::State::is_answer(const std::string& line, MonoNs heard) {
  const auto answer = parse_clock_line(line);
  if (answer && answer->id == questions) clock.add(asked_at, answer->at_ns, heard);
  return answer.has_value();
}

Result<void> NodeSampler::State::learn_clock() {
  const MonoNs deadline = mono_now_ns() + kConnectTimeout.count();
  for (int i = 0; i < kFirstQuestions; ++i) {
    if (auto asked = ask(); !asked) return asked;
    for (bool answered = false; !answered;) {
      auto line = child->next_line(Nanos(deadline - mono_now_ns()));
      if (!line) return fail(line.error());
      answered = is_answer(*line, mono_now_ns());
      if (!answered && backlog.size() < kMaxBacklog) backlog.push_back(std::move(*line));
    }
  }
  return {};
}

void NodeSampler::State::pass_on(const std::string& line) {
  const auto offset = clock.estimate();
  if (!offset) return;
  if (line.rfind('{', 0) == 0) {
    TelemetryStream as;
    as.node = node;
    as.cells = relay.cells;
    as.clock_bound_ms = static_cast<double>(offset->bound_ns) / 1e6;
    header = relayed_header(line, as, relay.number, columns);
    if (header) relay.on_line(*header, true);
    return;
  }
  if (!header) return;
  const double shift_ms = -static_cast<double>(offset->ahead_ns + relay.epoch) / 1e6;
  if (auto row = relayed_row(line, columns, relay.number, shift_ms)) {
    relay.on_line(std::move(*row), false);
  }
}

void NodeSampler::State::run() {
  for (const std::string& line : std::exchange(backlog, {})) pass_on(line);
  while (!stopping) {
    auto line = child->next_line(kTurn);
    const MonoNs now = mono_now_ns();
    if (!line && line.error().code != Errc::kTimeout) {  // Its samples end; ours go on.
      if (!stopping) relay.on_end(line.error().message);
      return;
    }
    if (line && !is_answer(*line, now)) pass_on(*line);
    // Clocks drift apart: a question now and then.
    if (now - asked_at <= kAskEveryNs) continue;
    if (const auto asked = ask(); !asked) {
      if (!stopping) relay.on_end(asked.error().message);
      return;
    }
  }
}

NodeSampler::NodeSampler() : state_(std::make_unique<State>()) {}

NodeSampler::~NodeSampler() {
  state_->stopping = true;
  if (state_->thread.joinable()) state_->thread.join();
}

const std::string& NodeSampler::node() const { return state_->node; }

Result<std::unique_ptr<NodeSampler>> NodeSampler::connect(const std::string& asked,
                                                          double rate_hz) {
  const auto parsed = parse_sample_node(asked);
  if (!parsed) return fail(parsed.error());
  std::unique_ptr<NodeSampler> sampler(new NodeSampler());
  State& state = *sampler->state_;
  state.node = parsed->node;
  const std::string& destination = parsed->destination;
  // ssh hands its last arguments to a shell over there: nothing of ours in them needs quotes.
  auto child =
      LineChild::start({"ssh", "-T", "-o", "BatchMode=yes", "--", destination, parsed->program,
                        "sample", "--rate", fmt::format("{}", rate_hz), "--clock"});
  if (!child) return fail(child.error());
  state.child = std::move(*child);
  if (auto learned = state.learn_clock(); !learned) {
    return fail(learned.error().code,
                fmt::format("node {} cannot be sampled: {}", printable(state.node, 60),
                            learned.error().message),
                fmt::format("'ssh {} {} sample --for 2s' has to print lines without asking; "
                            "NODE=DEST:PATH names assay over there",
                            printable(destination, 100), printable(parsed->program, 100)));
  }
  return sampler;
}

void NodeSampler::start(Relay relay) {
  state_->relay = std::move(relay);
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Result<void> check_sample_nodes(const RunSpec& spec, const std::vector<Cell>& cells) {
  std::set<std::string> nodes;
  for (const Cell& cell : cells) nodes.insert(cell.id.substr(0, cell.id.find(':')));
  for (const std::string& asked : spec.sample_nodes) {
    const auto parsed = parse_sample_node(asked);
    if (!parsed) return fail(parsed.error());
    if (nodes.contains(parsed->node)) continue;
    return fail(Errc::kInvalidArgument,
                fmt::format("--sample-node {}: no cell of this run is of that node",
                            printable(parsed->node, 80)),
                fmt::format("NODE is the first part of a cell's id; here: {}",
                            printable(join({nodes.begin(), nodes.end()}, ", "), 300)));
  }
  return {};
}

Result<std::vector<std::unique_ptr<NodeSampler>>> connect_nodes(const RunSpec& spec) {
  std::vector<std::unique_ptr<NodeSampler>> nodes;
  for (const std::string& asked : spec.sample_nodes) {
    auto node = NodeSampler::connect(asked, spec.sample_rate);
    if (!node) return fail(node.error());
    nodes.push_back(std::move(*node));
  }
  return nodes;
}

}  // namespace assay
