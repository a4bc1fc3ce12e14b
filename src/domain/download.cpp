#include "domain/download.h"

namespace tidemark::domain {

DownloadState StateOf(const Download& download, Instant expires, Instant now) {
  if (download.complete >= download.max_downloads) {
    return DownloadState::kUsedUp;
  }
  return now >= expires ? DownloadState::kExpired : DownloadState::kReady;
}

}  // namespace tidemark::domain
