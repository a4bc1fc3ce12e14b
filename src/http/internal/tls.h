#pragma once

#include <string>

#include <boost/asio/ssl/context.hpp>

#include "base/clock.h"

namespace tidemark::http {

// A server's context: TLS 1.2 or newer, with forward secrecy and authenticated encryption.
// kInvalidArgument: a file cannot be read, the key wants a passphrase, or the two do not fit.
boost::asio::ssl::context MakeServerTls(const std::string& certificate_file,
                                        const std::string& key_file);

// The time in which the context's certificate is valid.
struct Validity {
  Instant begins;
  Instant ends;
};

// REQUIRES: it has a certificate.
Validity ValidityOf(boost::asio::ssl::context& tls);

// A client's context: TLS 1.2 or newer, the system's authorities.
boost::asio::ssl::context MakeClientTls();

}  // namespace tidemark::http
