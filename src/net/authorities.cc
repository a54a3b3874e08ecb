#include "net/authorities.h"

#include <array>
#include <string_view>

namespace assay {
namespace {

constexpr std::array<std::string_view, 7> kPlaces{
    "etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch, Gentoo, NixOS
    "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Fedora, RHEL
    "etc/pki/tls/certs/ca-bundle.crt",                   // older ones of these
    "etc/ssl/ca-bundle.pem",                             // openSUSE
    "var/lib/ca-certificates/ca-bundle.pem",             // openSUSE, where that is a link to
    "etc/ssl/cert.pem",                                  // Alpine, Void, FreeBSD's layout
    "etc/ssl/certs/ca-bundle.crt",                       // NixOS without the other name
};

}  // namespace

std::optional<std::filesystem::path> find_authorities(const std::filesystem::path& root) {
  for (const std::string_view place : kPlaces) {
    const std::filesystem::path file = root / place;
    std::error_code error;
    if (std::filesystem::file_size(file, error) > 0 && !error) return file;
  }
  return std::nullopt;
}

}  // namespace assay
