/**
 * The views of a figure that the browser has: its other channels and colour scales. They are shown
 * before the host has heard of the change.
 * @import { Message, View } from "./payload.js"
 */

/** @typedef {{ channel: number | null, scope: string }} Choice */

export class Views {
  constructor() {
    /** @type {Map<string, Message>} */
    this.messages = new Map();
    /** @type {Message | null} the host's last message */
    this.last = null;
    /** @type {View | null} the view that the host has not sent yet */
    this.chosen = null;
    this.timer = 0;
    this.patience = 5000; // milliseconds until the host's view is shown, if it is another one
  }

  /** The view shown. */
  get view() {
    return this.chosen ?? this.last?.view ?? null;
  }

  /**
   * Take a message of the host; return the one to show.
   * @param {Message} message
   */
  take(message) {
    const isOther = message.view?.subject !== this.last?.view?.subject;
    if (isOther) this.messages.clear();
    if (isOther || message.restored) this.chosen = null;
    this.last = message;
    for (const each of [message, ...(message.views ?? [])]) {
      if (each.view?.subject) this.messages.set(nameOf(each.view), each);
    }
    if (this.chosen && message.view && nameOf(this.chosen) === nameOf(message.view)) {
      this.chosen = null;
    }
    return this.shown;
  }

  /** The message to show: the host's last one, or that of the view chosen since. */
  get shown() {
    const { chosen, last } = this;
    const found = chosen && this.messages.get(nameOf(chosen));
    if (!found || !last) return last;
    const { figure, narrow, digest, revision, label, view, link } = found;
    const pinned =
      link?.mode === "pin" && last.link?.mode === "pin"
        ? { ...link, pin: last.link.pin, acked_pin: last.link.acked_pin }
        : link;
    const own = { figure, narrow, digest, revision, label, view, link: pinned };
    return { ...last, ...own, restored: false };
  }

  /** Whether the browser has the view's neighbours, or need not have them. */
  get isComplete() {
    const { view } = this;
    if (!view?.subject || view.channels < 2) return true;
    return this.messages.has(nameOf({ ...view, channel: view.channel ? view.channel - 1 : 1 }));
  }

  /**
   * Choose a view; return whether it is here.
   * @param {Choice} choice
   * @param {() => void} giveUp called if the host does not send that view
   */
  choose(choice, giveUp) {
    const found = this.messages.get(nameOf(choice));
    if (!found) return false;
    this.chosen = found.view ?? null;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      if (!this.chosen) return;
      this.chosen = null;
      giveUp();
    }, this.patience);
    return true;
  }
}

/** @param {Choice} choice */
const nameOf = ({ channel, scope }) => `${channel} ${scope}`;
