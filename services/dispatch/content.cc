#include "services/dispatch/content.h"

#include <algorithm>
#include <fstream>

namespace assay::dispatch {

Expected<std::string> Content::Read(std::int64_t offset,
                                    std::size_t count) const {
  if (offset < 0 || offset > size)
    return Fail(Code::kOutOfRange, "offset ", offset, " of content ", digest,
                ", which has ", size, " bytes");
  const auto wanted = static_cast<std::size_t>(
      std::min<std::int64_t>(static_cast<std::int64_t>(count), size - offset));
  if (file.empty())
    return bytes.substr(static_cast<std::size_t>(offset), wanted);
  std::ifstream in(file, std::ios::binary);
  std::string chunk(wanted, '\0');
  in.seekg(offset);
  in.read(chunk.data(), static_cast<std::streamsize>(wanted));
  if (!in)
    return Fail(Code::kUnavailable, "content ", digest, " could not be read ",
                "from ", file.string());
  return chunk;
}

}  // namespace assay::dispatch
