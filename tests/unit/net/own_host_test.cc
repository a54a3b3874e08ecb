#include "net/own_host.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace assay {
namespace {

bool leads_here(const std::string& url, const std::vector<OwnAddress>& own = {}) {
  return is_own_host(parse_url(url).value(), own);
}

TEST(OwnHost, TheLoopbackLeadsHere) {
  EXPECT_TRUE(leads_here("http://127.0.0.1:8080"));
  EXPECT_TRUE(leads_here("http://[::1]:8080"));
  EXPECT_TRUE(leads_here("http://localhost:11434"));
}

TEST(OwnHost, AnInterfacesAddressLeadsHereHoweverItIsSpelt) {
  const std::vector<OwnAddress> own{{"eth0", "192.0.2.7"}, {"eth0", "2001:db8::7"}};
  EXPECT_TRUE(leads_here("http://192.0.2.7:8080", own));
  EXPECT_TRUE(leads_here("http://[2001:DB8:0::7]:8080", own));
  EXPECT_FALSE(leads_here("http://192.0.2.8:8080", own));
  EXPECT_FALSE(leads_here("http://box.example:8080", own));
}

TEST(OwnHost, ThisMachineHasALoopback) {
  bool loopback = false;
  for (const OwnAddress& own : own_addresses()) {
    EXPECT_FALSE(own.interface.empty());
    loopback |= own.address == "127.0.0.1" || own.address == "::1";
  }
  EXPECT_TRUE(loopback);
}

}  // namespace
}  // namespace assay
