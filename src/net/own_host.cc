#include "net/own_host.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

namespace assay {
namespace {

/// The one spelling of an address; empty when the text is none.
std::string canonical(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (::inet_pton(family, text.c_str(), bytes.data()) != 1) continue;
    std::array<char, INET6_ADDRSTRLEN> out{};
    ::inet_ntop(family, bytes.data(), out.data(), out.size());
    return out.data();
  }
  return {};
}

}  // namespace

std::vector<OwnAddress> own_addresses() {
  std::vector<OwnAddress> addresses;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return addresses;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    const void* bytes = nullptr;
    if (at->ifa_addr->sa_family == AF_INET) {
      bytes = &reinterpret_cast<const sockaddr_in*>(at->ifa_addr)->sin_addr;
    } else if (at->ifa_addr->sa_family == AF_INET6) {
      bytes = &reinterpret_cast<const sockaddr_in6*>(at->ifa_addr)->sin6_addr;
    }
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (bytes == nullptr ||
        ::inet_ntop(at->ifa_addr->sa_family, bytes, text.data(), text.size()) == nullptr) {
      continue;
    }
    addresses.push_back({at->ifa_name, text.data()});
  }
  ::freeifaddrs(list);
  return addresses;
}

bool is_own_host(const Url& url, const std::vector<OwnAddress>& own) {
  if (url.is_loopback()) return true;
  const std::string address = canonical(url.host);
  return !address.empty() && std::any_of(own.begin(), own.end(), [&](const OwnAddress& mine) {
    return mine.address == address;
  });
}

}  // namespace assay
