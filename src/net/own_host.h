#pragma once

#include <string>
#include <vector>

#include "net/url.h"

namespace assay {

/// An address of one of this machine's interfaces, as text.
struct OwnAddress {
  std::string interface;
  std::string address;
};

/// Empty when the system does not tell.
std::vector<OwnAddress> own_addresses();

/// Whether the address leads to this machine: the loopback, or one of `own`. Names but localhost
/// are not looked up: they may lead here today and elsewhere tomorrow.
bool is_own_host(const Url& url, const std::vector<OwnAddress>& own);

}  // namespace assay
