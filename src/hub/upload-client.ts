/** What we use of Hugging Face's client, in a module of its own: a bundler leaves out the rest even where it is loaded late. */

export { commit, createRepo, HubApiError } from '@huggingface/hub';
