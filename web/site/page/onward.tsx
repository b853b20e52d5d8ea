/** Where to go from here: one's own photos, the command line, the library. */

import { homepage } from '../../../package.json';

const home = homepage.replace(/#.*$/, '');
export const documentation = (name: string) => `${home}/blob/main/docs/${name}.md`;

export function Onward() {
  return (
    <section class="section" id="yours" aria-labelledby="yours-title">
      <header class="intro">
        <h2 id="yours-title">Now with your own photos</h2>
        <p>
          The drawings are for learning. lincir is for photos, here in the browser or on your own machine.
        </p>
      </header>
      <div class="doors">
        <div class="card door">
          <h3>In this browser</h3>
          <p>
            Choose a folder and a model. Your photos are read in a tab like this one, and no picture leaves
            your machine.
          </p>
          <a class="strong" href="./photos.html">
            Search your photos
          </a>
        </div>
        <div class="card door">
          <h3>On the command line</h3>
          <p>Index a folder, and open a page to search on.</p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long commands scroll */}
          <pre tabIndex={0}>
            {'lincir index my-photos --index my.lance\nlincir serve --index my.lance --open'}
          </pre>
          <p>
            <a class="link" href={documentation('install')}>
              How to install it
            </a>
          </p>
        </div>
        <div class="card door">
          <h3>In your programs</h3>
          <p>The same in TypeScript, for Node and for browsers.</p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines scroll */}
          <pre tabIndex={0}>
            {"const query = await compose({\n  clip, phi, images: ['dog.jpg'],\n  text: 'is swimming' });"}
          </pre>
          <p>
            <a class="link" href={documentation('library')}>
              The library
            </a>
          </p>
        </div>
      </div>
    </section>
  );
}

export function Sources() {
  return (
    <p>
      The method is{' '}
      <a class="link" href="https://arxiv.org/abs/2312.01998">
        LinCIR
      </a>{' '}
      by Geonmo Gu, Sanghyuk Chun, Wonjae Kim, Yoohoon Kang and Sangdoo Yun (CVPR 2024).{' '}
      <a class="link" href={home}>
        This implementation
      </a>{' '}
      is free software.{' '}
      <a class="link" href={documentation('miniature')}>
        The miniature world
      </a>{' '}
      has a page of its own, with all figures.
    </p>
  );
}
