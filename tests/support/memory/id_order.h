#pragma once

namespace tidemark::memory {

// How the _ids of a generated collection lie in its natural order.
enum class IdOrder { kAscending, kScattered };

}  // namespace tidemark::memory
