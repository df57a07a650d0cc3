"""What stands in an Adaptive Card that Teams shows, as tables: elements, actions, their properties, and what these take.

From the published schema 1.5 (adaptivecards.io/explorer), and "Cards" at learn.microsoft.com.
"""

from __future__ import annotations

from collections.abc import Mapping

CARD = "application/vnd.microsoft.card.adaptive"
VERSION_MAX = (1, 5)

_COMMON = frozenset({"type", "id", "isVisible", "requires", "fallback"})
_ELEMENT = _COMMON | {"height", "separator", "spacing", "targetWidth", "horizontalAlignment"}
_BOX = _ELEMENT | {
    "items",
    "selectAction",
    "style",
    "bleed",
    "backgroundImage",
    "minHeight",
    "rtl",
    "verticalContentAlignment",
}
_TEXT = frozenset({"color", "fontType", "isSubtle", "size", "weight"})
_INPUT = _ELEMENT | {"label", "isRequired", "errorMessage", "labelPosition", "labelWidth"}
ELEMENTS: Mapping[str, frozenset[str]] = {
    "TextBlock": _ELEMENT | _TEXT | {"text", "wrap", "maxLines", "style"},
    "RichTextBlock": _ELEMENT | {"inlines"},
    "Image": _ELEMENT | {"url", "altText", "size", "style", "width", "backgroundColor", "selectAction", "msteams"},
    "Media": _ELEMENT | {"sources", "poster", "altText", "captionSources"},
    "Container": _BOX | {"msteams", "showBorder", "roundedCorners"},
    "ColumnSet": _ELEMENT | {"columns", "selectAction", "style", "bleed", "minHeight"},
    "Column": _BOX | {"width"},
    "FactSet": _ELEMENT | {"facts"},
    "ImageSet": _ELEMENT | {"images", "imageSize"},
    "ActionSet": _ELEMENT | {"actions"},
    "Table": _ELEMENT
    | {
        "columns",
        "rows",
        "firstRowAsHeader",
        "showGridLines",
        "gridStyle",
        "horizontalCellContentAlignment",
        "verticalCellContentAlignment",
    },
    "TableRow": _COMMON | {"cells", "style", "horizontalCellContentAlignment", "verticalCellContentAlignment"},
    "TableCell": _BOX,
    "Input.Text": _INPUT | {"isMultiline", "maxLength", "placeholder", "regex", "style", "inlineAction", "value"},
    "Input.Number": _INPUT | {"max", "min", "placeholder", "value"},
    "Input.Date": _INPUT | {"max", "min", "placeholder", "value"},
    "Input.Time": _INPUT | {"max", "min", "placeholder", "value"},
    "Input.Toggle": _INPUT | {"title", "value", "valueOff", "valueOn", "wrap"},
    "Input.ChoiceSet": _INPUT | {"choices", "choices.data", "isMultiSelect", "style", "value", "placeholder", "wrap"},
}
INLINES = _TEXT | {"type", "text", "highlight", "italic", "strikethrough", "underline", "selectAction"}
_ACTION = _COMMON | {"title", "iconUrl", "style", "mode", "tooltip", "isEnabled", "role"}
ACTIONS: Mapping[str, frozenset[str]] = {
    "Action.Execute": _ACTION | {"verb", "data", "associatedInputs"},
    "Action.Submit": _ACTION | {"data", "associatedInputs", "msteams"},
    "Action.OpenUrl": _ACTION | {"url"},
    "Action.ShowCard": _ACTION | {"card"},
    "Action.ToggleVisibility": _ACTION | {"targetElements"},
}
CARD_PROPERTIES = frozenset(
    {
        "type",
        "$schema",
        "version",
        "body",
        "actions",
        "fallbackText",
        "refresh",
        "msteams",
        "speak",
        "lang",
        "rtl",
        "metadata",
    }
) | {"selectAction", "style", "minHeight", "verticalContentAlignment", "backgroundImage", "authentication"}
NEEDS: Mapping[str, tuple[str, ...]] = {
    "TextBlock": ("text",),
    "RichTextBlock": ("inlines",),
    "Image": ("url",),
    "FactSet": ("facts",),
    "ActionSet": ("actions",),
    "Input.Toggle": ("id", "title"),
    "Action.OpenUrl": ("url",),
    "Action.ShowCard": ("card",),
    "Action.ToggleVisibility": ("targetElements",),
    "Action.Execute": ("verb",),
}
_COLORS = {"default", "dark", "light", "accent", "good", "warning", "attention"}
ENUMS: Mapping[str, frozenset[str]] = {
    "color": frozenset(_COLORS),
    "weight": frozenset({"default", "lighter", "bolder"}),
    "fontType": frozenset({"default", "monospace"}),
    "spacing": frozenset({"default", "none", "small", "medium", "large", "extralarge", "padding", "extrasmall"}),
    "horizontalAlignment": frozenset({"left", "center", "right"}),
    "mode": frozenset({"primary", "secondary"}),
}
STYLES: Mapping[str, frozenset[str]] = {
    "TextBlock": frozenset({"default", "heading", "columnheader"}),
    "Action": frozenset({"default", "positive", "destructive"}),
    "Input.ChoiceSet": frozenset({"compact", "expanded", "filtered"}),
    "Input.Text": frozenset({"text", "tel", "url", "email", "password"}),
    "Box": frozenset({"default", "emphasis", "good", "attention", "warning", "accent"}),
}
BOXES = ("Container", "ColumnSet", "Column", "TableCell", "TableRow")
