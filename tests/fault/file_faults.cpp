#include "tests/fault/file_faults.h"

namespace tidemark::fault {

const std::vector<FileFault>& FileFaults() {
  static const std::vector<FileOp> writing{FileOp::kOpen,
                                           FileOp::kWrite,
                                           FileOp::kSync,
                                           FileOp::kSyncAll,
                                           FileOp::kLink,
                                           FileOp::kRename,
                                           FileOp::kMakeFolder};
  static const std::vector<FileOp> all{FileOp::kOpen,
                                       FileOp::kRead,
                                       FileOp::kWrite,
                                       FileOp::kSync,
                                       FileOp::kSyncAll,
                                       FileOp::kLink,
                                       FileOp::kRename,
                                       FileOp::kUnlink,
                                       FileOp::kMakeFolder,
                                       FileOp::kStat,
                                       FileOp::kList};
  static const std::vector<FileFault> faults{
      {"EIO", {.error = EIO}, all},
      {"ENOSPC", {.error = ENOSPC}, writing},
      {"EINTR",
       {.error = EINTR},
       {FileOp::kOpen, FileOp::kRead, FileOp::kWrite, FileOp::kSync, FileOp::kSyncAll}},
      {"short", {.partial = true}, {FileOp::kRead, FileOp::kWrite}},
      {"full-disk", {.error = ENOSPC}, writing, true},
      {"dead-disk", {.error = EIO}, all, true},
  };
  return faults;
}

}  // namespace tidemark::fault
