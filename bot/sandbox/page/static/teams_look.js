// How Teams draws cards: for Microsoft's renderer. Colours are the page's own names, so that light and dark need no second drawing.

const color = (name) => ({ default: `var(--t-${name})`, subtle: `var(--t-${name})` });
const foreground = {
  default: { default: "var(--t-ink)", subtle: "var(--t-soft)" },
  accent: color("accent-text"), good: color("good"), warning: color("warning"), attention: color("attention"),
  dark: { default: "var(--t-ink)", subtle: "var(--t-soft)" }, light: { default: "var(--t-soft)", subtle: "var(--t-soft)" },
};
const box = (background) => ({ backgroundColor: background, borderColor: "var(--t-line)", foregroundColors: foreground });

export const LOOK = {
  fontFamily: "inherit",
  fontSizes: { small: 12, default: 14, medium: 16, large: 19, extraLarge: 24 },
  fontWeights: { lighter: 300, default: 400, bolder: 600 },
  fontTypes: {
    default: { fontFamily: "inherit", fontSizes: { small: 12, default: 14, medium: 16, large: 19, extraLarge: 24 } },
    monospace: { fontFamily: "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace", fontSizes: { small: 12, default: 13, medium: 15, large: 17, extraLarge: 20 } },
  },
  lineHeights: { small: 17, default: 20, medium: 22, large: 26, extraLarge: 30 },
  spacing: { small: 6, default: 10, medium: 14, large: 18, extraLarge: 24, padding: 16 },
  separator: { lineThickness: 1, lineColor: "var(--t-line)" },
  imageSizes: { small: 32, medium: 52, large: 100 },
  containerStyles: {
    default: box("transparent"), emphasis: box("var(--t-emphasis)"), good: box("var(--t-good-ground)"),
    attention: box("var(--t-attention-ground)"), warning: box("var(--t-warning-ground)"), accent: box("var(--t-accent-ground)"),
  },
  inputs: {
    label: { inputSpacing: "small", requiredInputs: { size: "default", weight: "bolder", suffix: " *", suffixColor: "attention" }, optionalInputs: { size: "default", weight: "bolder" } },
    errorMessage: { color: "attention", size: "small", spacing: "small" },
  },
  actions: {
    maxActions: 6, spacing: "default", buttonSpacing: 8, actionsOrientation: "horizontal", actionAlignment: "left", preExpandSingleShowCardAction: false,
    showCard: { actionMode: "inline", inlineTopMargin: 10, style: "emphasis" },
  },
  adaptiveCard: { allowCustomStyle: false },
  factSet: { title: { weight: "bolder", maxWidth: 150 }, value: {}, spacing: 10 },
  supportsInteractivity: true,
};
