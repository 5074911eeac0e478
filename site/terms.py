"""An extension of Sphinx: in a lesson, the first mention of a term leads to the glossary.

It also tells the templates whether the site has demos.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

# Where a word is no mention of a term, or already a link.
APART = (
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.math_block,
    nodes.raw,
    nodes.reference,
    nodes.title,
)
ABBREVIATION = re.compile(r"[A-Z][A-Za-z]*[A-Z]|[A-Z]\d?$")  # its letters are as they are
SHORTEST = 3
GLOSSARY = "glossary"


def pattern(terms: list[str]) -> re.Pattern | None:
    """What finds the longest term that a text mentions, in the singular or the plural."""
    usable = sorted((term for term in terms if len(term) >= SHORTEST), key=len, reverse=True)
    one = (
        re.escape(term) if ABBREVIATION.match(term) else f"(?i:{re.escape(term)})"
        for term in usable
    )
    return re.compile(rf"(?<![\w-])(?:{'|'.join(one)})(?=s?(?![\w-]))") if usable else None


class FirstMentions(SphinxPostTransform):
    """Links the first mention of each term on the page of a lesson."""

    default_priority = 200

    def run(self, **kwargs) -> None:
        if not self.env.docname.startswith("notebooks/"):
            return
        page = self.app.builder.get_relative_uri(self.env.docname, GLOSSARY)
        known = terms(self.env)
        mention = pattern(list(known))
        seen: set[str] = set()
        for text in [] if mention is None else list(self.document.findall(nodes.Text)):
            if not _inside(text, APART):
                _link(text, mention, known, seen, page)


def terms(env) -> dict[str, tuple[str, str]]:
    """Every term -> the name of its place in the glossary, and what it means."""
    if not hasattr(env, "course_terms"):
        items = env.get_doctree(GLOSSARY).findall(nodes.definition_list_item)
        entries = [(item.next_node(nodes.term), item.next_node(nodes.paragraph)) for item in items]
        env.course_terms = {
            term.astext(): (term["ids"][0], " ".join(meaning.astext().split()))
            for term, meaning in entries
        }
    return env.course_terms


def _inside(node: nodes.Node, kinds: tuple[type, ...]) -> bool:
    while node := node.parent:
        if isinstance(node, kinds):
            return True
    return False


def _link(text, mention, known, seen, page) -> None:
    by_letters = {name.lower(): name for name in known}
    said, parts, end = text.astext(), [], 0
    for match in mention.finditer(said):
        name = by_letters[match[0].lower()]
        if name in seen:
            continue
        seen.add(name)
        target, meaning = known[name]
        parts.append(nodes.Text(said[end : match.start()]))
        link = nodes.reference("", match[0], refuri=f"{page}#{target}", internal=True)
        link["classes"], link["reftitle"] = ["course-term"], meaning
        parts.append(link)
        end = match.end()
    if parts:
        text.parent.replace(text, [*parts, nodes.Text(said[end:])])


def setup(app):
    """Called by Sphinx."""
    app.add_post_transform(FirstMentions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
