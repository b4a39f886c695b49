#include "runner/assertions/xml_text.h"

#include <pugixml.hpp>

namespace assay::assertions {

Expected<std::optional<std::string>> XmlText(std::string_view text,
                                             const std::string& xpath) {
  pugi::xml_document document;
  const auto parsed = document.load_buffer(text.data(), text.size());
  if (!parsed) {
    return InvalidArgument(parsed.description(), " at byte ", parsed.offset);
  }
  try {
    const pugi::xpath_query query(xpath.c_str());
    if (query.return_type() != pugi::xpath_type_node_set) {
      return std::optional<std::string>(query.evaluate_string(document));
    }
    const pugi::xpath_node node = query.evaluate_node(document);
    if (!node) return std::optional<std::string>();
    if (node.attribute()) {
      return std::optional<std::string>(node.attribute().value());
    }
    return std::optional<std::string>(
        pugi::xpath_query("string(.)").evaluate_string(node));
  } catch (const pugi::xpath_exception& e) {
    return InvalidArgument("not an XPath: ", e.what());
  }
}

}  // namespace assay::assertions
