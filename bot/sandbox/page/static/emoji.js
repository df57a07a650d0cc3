// The names that messages use most. A name that is not here stays as it is written, as Slack does.

const NAMES = {
  white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", no_entry: "⛔", no_entry_sign: "🚫", warning: "⚠️",
  rotating_light: "🚨", hourglass: "⌛", hourglass_flowing_sand: "⏳", checkered_flag: "🏁", scissors: "✂️",
  leftwards_arrow_with_hook: "↩️", arrows_counterclockwise: "🔄", red_circle: "🔴", large_yellow_circle: "🟡",
  large_green_circle: "🟢", large_blue_circle: "🔵", lock: "🔒", unlock: "🔓", key: "🔑", eyes: "👀", tada: "🎉",
  wave: "👋", "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", ok_hand: "👌", pray: "🙏", fire: "🔥",
  boom: "💥", bug: "🐛", rocket: "🚀", bell: "🔔", memo: "📝", bulb: "💡", clock3: "🕒", stopwatch: "⏱️",
  point_right: "👉", heart: "❤️", smile: "😄", slightly_smiling_face: "🙂", joy: "😂", sweat_smile: "😅",
  thinking_face: "🤔", see_no_evil: "🙈", shrug: "🤷", bar_chart: "📊", link: "🔗", mag: "🔍", shield: "🛡️",
  gear: "⚙️", zap: "⚡", sos: "🆘", question: "❓", exclamation: "❗", speech_balloon: "💬", coffee: "☕",
};

export const emoji = (name) => NAMES[name] ?? null;
