#pragma once

#include <functional>
#include <stop_token>

#include "curl/handles.h"

struct sockaddr;

namespace tidemark::curl {

// What every transfer to an address that a user named obeys. Confined; its address must not change
// and it must outlive the transfers of the handle, for the library keeps it.
class TransferGuard {
 public:
  // `may_connect` is asked about each address that the library is about to connect to.
  TransferGuard(std::function<bool(const sockaddr& address)> may_connect, std::stop_token stop);
  TransferGuard(const TransferGuard&) = delete;
  TransferGuard& operator=(const TransferGuard&) = delete;

  // From now on transfers of `easy` connect to such addresses only, themselves (through no proxy)
  // and to no other place that an answer names, speak TLS 1.2 or newer where they speak TLS, and
  // end soon after `stop` is requested. They are not cut by signals or held by a name server beyond
  // their timeout. Does not block.
  void Attach(CURL* easy);

  // Whether the last transfer failed because `may_connect` refused every address it tried.
  bool refused() const { return refused_; }

 private:
  static curl_socket_t OpenSocket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int AskStop(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

  const std::function<bool(const sockaddr& address)> may_connect_;
  const std::stop_token stop_;
  bool refused_ = false;
};

}  // namespace tidemark::curl
