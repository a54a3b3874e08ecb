#include "telemetry/listeners.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "base/text.h"
#include "telemetry/sensor_file.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr MonoNs kLookAgainNs = 5'000'000'000;
/// Programs that listen for an engine that runs elsewhere.
constexpr std::array<std::string_view, 5> kRelays{"docker-proxy", "rootlesskit", "slirp4netns",
                                                  "ssh", "socat"};

/// `0100007F:1F90` ends with the port, in hexadecimal.
std::optional<uint16_t> port_of(std::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string digits(address.substr(colon + 1));
  if (digits.empty() || digits.size() > 4 ||
      digits.find_first_not_of("0123456789ABCDEFabcdef") != std::string::npos) {
    return std::nullopt;
  }
  return static_cast<uint16_t>(std::stoul(digits, nullptr, 16));
}

/// Sockets that listen at one of the ports: `socket:[INODE]` and the port.
std::map<std::string, uint16_t> sockets_at(const fs::path& proc, std::span<const uint16_t> ports) {
  std::map<std::string, uint16_t> sockets;
  // number local remote state queues timer retransmits uid timeout inode …
  constexpr size_t kAddress = 1;
  constexpr size_t kState = 3;
  constexpr size_t kInode = 9;
  for (const char* table : {"net/tcp", "net/tcp6"}) {
    // Those that listen come first in it.
    for (const std::string& line : split(sensor_text(proc / table).value_or(""), '\n')) {
      const auto words = words_of(line);
      if (words.size() <= kInode || words[kState] != "0A") continue;
      const auto port = port_of(words[kAddress]);
      if (!port || std::find(ports.begin(), ports.end(), *port) == ports.end()) continue;
      sockets[fmt::format("socket:[{}]", words[kInode])] = *port;
    }
  }
  return sockets;
}

/// The sockets of `wanted` that a process has open. `refused` is set where it may not be asked.
std::vector<std::string> sockets_of(const fs::path& process,
                                    const std::map<std::string, uint16_t>& wanted, bool& refused) {
  std::vector<std::string> open;
  std::error_code error;
  size_t seen = 0;
  for (fs::directory_iterator it(process / "fd", error), end;
       !error && it != end && seen < Listeners::kMostFiles; it.increment(error), ++seen) {
    std::error_code gone;
    std::string target = fs::read_symlink(it->path(), gone).string();
    if (!gone && wanted.contains(target)) open.push_back(std::move(target));
  }
  refused = refused || error == std::errc::permission_denied;
  return open;
}

}  // namespace

bool Listeners::is_still_right() const {
  if (!found_.missing.empty()) return false;
  return std::all_of(found_.processes.begin(), found_.processes.end(), [&](int process) {
    std::error_code error;
    return fs::exists(proc_ / std::to_string(process), error);
  });
}

const Listeners::Found& Listeners::at(std::span<const uint16_t> ports, MonoNs now) {
  const bool same = std::equal(ports.begin(), ports.end(), ports_.begin(), ports_.end());
  if (same && (ports.empty() || is_still_right() || now - looked_ < kLookAgainNs)) return found_;
  ports_.assign(ports.begin(), ports.end());
  looked_ = now;
  found_ = Found();
  if (!ports_.empty()) look();
  return found_;
}

void Listeners::look() {
  const auto sockets = sockets_at(proc_, ports_);
  std::map<uint16_t, int> found;
  std::set<uint16_t> listening;
  for (const auto& [socket, port] : sockets) listening.insert(port);
  bool refused = false;
  for (const fs::path& process : numbered(proc_, "", kMostProcesses)) {
    if (found.size() == listening.size()) break;
    for (const std::string& socket : sockets_of(process, sockets, refused)) {
      const auto number = number_in(process.filename().string());
      if (number) found.try_emplace(sockets.at(socket), static_cast<int>(*number));
    }
  }
  for (const uint16_t port : ports_) {
    const auto process = found.find(port);
    if (process == found.end()) {
      found_.missing =
          !listening.contains(port)
              ? fmt::format("nothing that /proc/net/tcp shows listens at port {}", port)
          : refused ? fmt::format(
                          "the process that listens at port {} is another user's: its "
                          "files can be read by that user and root",
                          port)
                    : fmt::format("no process shows the socket of port {}", port);
      continue;
    }
    const std::string text =
        sensor_text(proc_ / std::to_string(process->second) / "comm").value_or("");
    const std::string_view name = trim(text);
    if (std::find(kRelays.begin(), kRelays.end(), name) != kRelays.end()) {
      found_.missing =
          fmt::format("{} listens at port {} for an engine elsewhere", printable(name, 40), port);
    } else if (std::find(found_.processes.begin(), found_.processes.end(), process->second) ==
               found_.processes.end()) {
      found_.processes.push_back(process->second);
    }
  }
}

}  // namespace assay
