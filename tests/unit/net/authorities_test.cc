#include "net/authorities.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <string>

namespace assay {
namespace {

namespace fs = std::filesystem;

// A system's root directory, removed with all it holds.
class Authorities : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/authorities_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }

  [[nodiscard]] fs::path write(const fs::path& place, std::string_view text) const {
    fs::create_directories((root_ / place).parent_path());
    std::ofstream(root_ / place) << text;
    return root_ / place;
  }

  fs::path root_;
};

TEST_F(Authorities, AreFoundWhereEachDistributionKeepsThem) {
  for (const char* place :
       {"etc/ssl/certs/ca-certificates.crt", "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "etc/pki/tls/certs/ca-bundle.crt", "etc/ssl/ca-bundle.pem", "etc/ssl/cert.pem"}) {
    const fs::path file = write(place, "-----BEGIN CERTIFICATE-----");
    EXPECT_EQ(find_authorities(root_), file);
    fs::remove(file);
  }
}

TEST_F(Authorities, AreFoundBehindALink) {
  const fs::path file = write("var/lib/bundle.pem", "-----BEGIN CERTIFICATE-----");
  fs::create_directories(root_ / "etc/ssl");
  fs::create_symlink(file, root_ / "etc/ssl/ca-bundle.pem");
  EXPECT_EQ(find_authorities(root_), root_ / "etc/ssl/ca-bundle.pem");
}

TEST_F(Authorities, AreNotAnEmptyFile) {
  static_cast<void>(write("etc/ssl/certs/ca-certificates.crt", ""));
  const fs::path full = write("etc/ssl/cert.pem", "-----BEGIN CERTIFICATE-----");
  EXPECT_EQ(find_authorities(root_), full);
}

TEST_F(Authorities, MayBeMissing) { EXPECT_EQ(find_authorities(root_), std::nullopt); }

}  // namespace
}  // namespace assay
