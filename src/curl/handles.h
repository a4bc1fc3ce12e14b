#pragma once

#include <curl/curl.h>

#include "base/c_handle.h"
#include "base/error.h"

// The wall around libcurl: owners of its handles, and the one translation of its errors.
namespace tidemark::curl {

using UrlHandle = CHandle<CURLU, curl_url_cleanup>;
using EasyHandle = CHandle<CURL, curl_easy_cleanup>;
using ListHandle = CHandle<curl_slist, curl_slist_free_all>;

// The library's global state, as long as one of these lives. May be made in any thread (7.84+).
class CurlLibrary {
 public:
  CurlLibrary();
  ~CurlLibrary();
  CurlLibrary(const CurlLibrary&) = delete;
  CurlLibrary& operator=(const CurlLibrary&) = delete;
};

// An option that an option of ours cannot make wrong: anything but CURLE_OK is a bug or no memory.
void CheckOption(CURLcode code);

// Throws the Error for a transfer that failed. The message has the library's fixed words and the
// reply's code only: the library's own would quote what it was given.
[[noreturn]] void ThrowCurlError(CURLcode code, long reply, const std::string& doing);

void Append(ListHandle& list, const std::string& line);

}  // namespace tidemark::curl
